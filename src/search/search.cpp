#include "search/search.h"

#include <algorithm>
#include <map>
#include <regex>

#include "core/error.h"
#include "core/words.h"
#include "document/json.h"
#include "search/document_moments.h"

namespace prismvid::search {
namespace {

using document::Json;
using store::FoundMoment;

constexpr double kFusion = 60;
// Enough of each list that what two of them find together is seen.
constexpr size_t kLeastCandidates = 200;

/// A day stands for its first or last second.
std::string time_of(const std::string& text, const char* option, const char* second) {
  static const std::regex kForm(R"(\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])(T\d{2}:\d{2}:\d{2}Z)?)");
  if (text.empty()) return text;
  check(std::regex_match(text, kForm), ErrorCode::kInvalidArgument, option, " '", text,
        "' is no date: give 2026-11-28 or 2026-11-28T10:00:00Z");
  return text.size() == 10 ? text + second : text;
}

store::MomentFilter filter_of(store::Store& store, const SearchQuery& query) {
  store::MomentFilter filter;
  for (const std::string& name : query.videos) {
    const auto video = store.find_video(name);
    check(video.has_value(), ErrorCode::kNotFound, "there is no video '", name, "'");
    filter.videos.push_back(video->id);
  }
  for (const std::string& name : query.people) {
    const auto person = store.find_person(name);
    check(person.has_value(), ErrorCode::kNotFound, "no person '", name,
          "': 'prismvid people list' shows all");
    filter.people.push_back(person->id);
  }
  for (const std::string& label : query.labels) {
    filter.labels.push_back(terms_of(label));
    check(!filter.labels.back().empty(), ErrorCode::kInvalidArgument, "the label '", label,
          "' has no letter or digit");
  }
  filter.since = time_of(query.since, "since", "T00:00:00Z");
  filter.range = query.range;
  filter.until = time_of(query.until, "until", "T23:59:59Z");
  return filter;
}

bool has_phrase(const std::vector<Word>& words, const Phrase& phrase) {
  return std::search(words.begin(), words.end(), phrase.begin(), phrase.end(),
                     [](const Word& word, const std::string& stem) { return word.stem == stem; }) !=
         words.end();
}

/// People whose names have one of the words.
std::vector<std::string> people_called(store::Store& store, const std::vector<Phrase>& phrases) {
  std::vector<std::string> ids;
  for (const store::PersonRecord& person : store.people()) {
    const std::vector<Word> name = split_words(person.name);
    if (std::any_of(phrases.begin(), phrases.end(),
                    [&](const Phrase& phrase) { return has_phrase(name, phrase); }))
      ids.push_back(person.id);
  }
  return ids;
}

bool overlap(const SearchHit& a, const SearchHit& b) {
  return a.video_id == b.video_id && a.range.start_us < b.range.end_us &&
         b.range.start_us < a.range.end_us;
}

bool is_person(const SearchHit& hit) {
  return hit.kind == "person";
}

/// Hits of several rankings, each moment once.
class Fusion {
 public:
  explicit Fusion(const std::vector<Phrase>& phrases) : phrases_(phrases) {}

  void add(const char* by, const std::vector<FoundMoment>& found) {
    size_t rank = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      if (i == 0 || found[i].score != found[i - 1].score) rank = i + 1;  // equals share a rank
      SearchHit& hit = hit_of(found[i]);
      hit.score += 1 / (kFusion + static_cast<double>(rank));
      hit.why.push_back({by, rank});
    }
  }

  std::vector<SearchHit> best(size_t limit) {
    add_company();
    std::stable_sort(hits_.begin(), hits_.end(),
                     [](const SearchHit& a, const SearchHit& b) { return a.score > b.score; });
    if (hits_.size() > limit) hits_.resize(limit);
    return std::move(hits_);
  }

 private:
  SearchHit& hit_of(const FoundMoment& moment) {
    const auto key = std::make_tuple(moment.video_id, moment.kind, moment.of, moment.text);
    const auto [known, is_new] = places_.emplace(key, hits_.size());
    if (is_new)
      hits_.push_back({moment.video_id,
                       {},
                       moment.range,
                       moment.kind,
                       moment.of,
                       moment.text,
                       snippet_of(moment.text, phrases_),
                       moment.keyframe,
                       moment.times,
                       0,
                       {}});
    return hits_[known->second];
  }

  /// A person found by name speaks for what is found at the time, and the other way round.
  void add_company() {
    std::vector<double> more(hits_.size(), 0);
    for (size_t i = 0; i < hits_.size(); ++i)
      for (size_t j = 0; j < hits_.size(); ++j)
        if (is_person(hits_[i]) != is_person(hits_[j]) && overlap(hits_[i], hits_[j]))
          more[i] = std::max(more[i], hits_[j].score);
    for (size_t i = 0; i < hits_.size(); ++i) hits_[i].score += more[i];
  }

  const std::vector<Phrase>& phrases_;
  std::vector<SearchHit> hits_;
  std::map<std::tuple<std::string, std::string, std::string, std::string>, size_t> places_;
};

void add_paths(store::Store& store, std::vector<SearchHit>& hits) {
  std::map<std::string, std::string> paths;
  for (SearchHit& hit : hits) {
    auto [known, is_new] = paths.emplace(hit.video_id, "");
    if (is_new)
      if (const auto video = store.find_video(hit.video_id)) known->second = video->path;
    hit.path = known->second;
  }
}

}  // namespace

std::vector<SearchHit> search(store::Store& store, const SearchQuery& query,
                              SentenceSearch* sentences) {
  const std::vector<Phrase> phrases = parse_phrases(query.words);
  const store::MomentFilter filter = filter_of(store, query);
  const size_t most = std::max(kLeastCandidates, 2 * query.limit);
  Fusion fusion(phrases);
  if (!phrases.empty()) {
    fusion.add("words", store.match_phrases(phrases, filter, most));
    if (sentences)
      fusion.add("meaning",
                 store.match_vectors(sentences->nearest(store, query.words, most), filter, most));
    fusion.add("person", store.match_people(people_called(store, phrases), filter, most));
  } else {
    check(query.words.find_first_not_of(" \t\r\n") == std::string::npos,
          ErrorCode::kInvalidArgument, "'", query.words, "' has no word to look for");
    check(!filter.people.empty() || !filter.labels.empty(), ErrorCode::kInvalidArgument,
          "there is nothing to look for: give words, a person or a label");
    fusion.add("person", store.match_people(filter.people, filter, most));
    fusion.add("label", store.match_labels(filter.labels, filter, most));
  }
  std::vector<SearchHit> hits = fusion.best(query.limit);
  add_paths(store, hits);
  return hits;
}

Json to_json(const std::vector<SearchHit>& hits) {
  Json list = Json::array();
  for (const SearchHit& hit : hits) {
    Json why = Json::array();
    for (const Reason& reason : hit.why) why.push_back({{"by", reason.by}, {"rank", reason.rank}});
    list.push_back({{"video", hit.video_id},
                    {"path", hit.path},
                    {"start", document::seconds(hit.range.start_us)},
                    {"end", document::seconds(hit.range.end_us)},
                    {"kind", hit.kind},
                    {"of", hit.of},
                    {"snippet", hit.snippet.text},
                    {"matches", hit.snippet.matches},
                    {"keyframe", hit.keyframe.empty() ? Json() : Json(hit.keyframe)},
                    {"times", hit.times},
                    {"score", document::rounded(hit.score, 6)},
                    {"why", why}});
  }
  return {{"hits", list}};
}

}  // namespace prismvid::search

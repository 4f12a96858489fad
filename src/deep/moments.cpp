#include "deep/moments.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "deep/words.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Document;
using document::Json;

/// Everything of a document that words can find.
class Collector {
 public:
  Collector(size_t video, const std::optional<TimeRange>& range, std::vector<Moment>& moments)
      : video_(video), range_(range), moments_(moments) {}

  void add_all(const Document& document) {
    for (const Json& caption : document.captions)
      add(document::time_range(caption), "caption", caption.at("text").get<std::string>(),
          caption.at("id"));
    for (const Json& chapter : document.chapters)
      add(document::time_range(chapter), "chapter", chapter.at("title").get<std::string>(),
          chapter.at("id"));
    for (const document::TextElement& text : document.texts)
      for (const auto& instance : text.instances) add(instance.range, "text", text.text, text.id);
    for (const document::Person& person : document.people)
      if (!person.hidden && !person.name.empty())
        for (const auto& instance : person.instances)
          add(instance.range, "person", person.name, person.id);
    for (const document::ObjectElement& object : document.objects)
      for (const auto& instance : object.instances)
        add(instance.range, "object", object.label, object.id);
    if (document.transcript)
      for (const document::DocumentSegment& segment : document.transcript->segments)
        add(segment.range, "speech", segment.text, segment.id);
  }

 private:
  void add(const TimeRange& range, const char* kind, const std::string& text,
           const std::string& of) {
    if (range_ && (range.start_us >= range_->end_us || range_->start_us >= range.end_us)) return;
    moments_.push_back({video_, range, kind, text, of, 0});
  }

  size_t video_;
  const std::optional<TimeRange>& range_;
  std::vector<Moment>& moments_;
};

/// BM25 with its usual constants over the moments of one kind.
std::vector<double> bm25(const std::vector<std::vector<std::string>>& texts,
                         const std::set<std::string>& question) {
  constexpr double kSaturation = 1.2, kLength = 0.75;
  std::map<std::string, double> documents_with;
  double total = 0;
  for (const auto& words : texts) {
    total += static_cast<double>(words.size());
    for (const std::string& word : std::set<std::string>(words.begin(), words.end()))
      if (question.contains(word)) documents_with[word] += 1;
  }
  const auto count = static_cast<double>(texts.size());
  const double mean = std::max(1.0, total / std::max(1.0, count));
  std::vector<double> scores;
  for (const auto& words : texts) {
    double score = 0;
    const double length = static_cast<double>(words.size());
    for (const auto& [word, with] : documents_with) {
      const auto times = static_cast<double>(std::count(words.begin(), words.end(), word));
      const double rarity = std::log(1 + (count - with + 0.5) / (with + 0.5));
      score += rarity * times * (kSaturation + 1) /
               (times + kSaturation * (1 - kLength + kLength * length / mean));
    }
    scores.push_back(score);
  }
  return scores;
}

/// Gives the moments of a kind their reciprocal ranks; those without a shared word stay at 0.
void rank_kind(const std::vector<size_t>& members, const std::set<std::string>& question,
               std::vector<Moment>& moments) {
  constexpr double kFusion = 60;
  std::vector<std::vector<std::string>> texts;
  for (const size_t i : members) texts.push_back(words_of(moments[i].text));
  const std::vector<double> scores = bm25(texts, question);
  std::vector<size_t> order(members.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  size_t rank = 0;
  double last = -1;
  for (size_t k = 0; k < order.size() && scores[order[k]] > 0; ++k) {
    if (scores[order[k]] != last) rank = k + 1;  // equals share a rank
    last = scores[order[k]];
    moments[members[order[k]]].score = 1 / (kFusion + static_cast<double>(rank));
  }
}

}  // namespace

std::vector<Moment> find_moments(std::span<const Document* const> documents,
                                 const std::string& question, const std::optional<TimeRange>& range,
                                 size_t most) {
  std::vector<Moment> moments;
  for (size_t i = 0; i < documents.size(); ++i) Collector(i, range, moments).add_all(*documents[i]);
  const std::vector<std::string> words = words_of(question);
  const std::set<std::string> asked(words.begin(), words.end());
  std::map<std::string, std::vector<size_t>> kinds;
  for (size_t i = 0; i < moments.size(); ++i) kinds[moments[i].kind].push_back(i);
  for (const auto& [kind, members] : kinds) rank_kind(members, asked, moments);
  std::erase_if(moments, [](const Moment& moment) { return moment.score <= 0; });
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return a.score > b.score; });
  if (moments.size() > most) moments.resize(most);
  return moments;
}

}  // namespace prismvid::deep

#include "deep/ask.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <regex>
#include <span>

#include "core/error.h"
#include "deep/answer_words.h"
#include "deep/evidence.h"
#include "deep/language.h"
#include "deep/parts.h"
#include "deep/windows.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

using document::Document;
using document::Json;

constexpr size_t kMostCitations = 12;

bool overlap(const TimeRange& a, const TimeRange& b) {
  return a.start_us < b.end_us && b.start_us < a.end_us;
}

/// A window of one of the videos and how much was found in it.
struct Place {
  size_t video;
  TimeRange range;
  double score;
};

std::vector<Caption> captions_of(const Document& document, const std::optional<TimeRange>& range) {
  std::vector<Caption> captions;
  for (const Json& json : document.captions) {
    if (json.value("level", "") != "window") continue;
    const Caption caption{document::time_range(json), json.at("text").get<std::string>()};
    if (!range || overlap(caption.range, *range)) captions.push_back(caption);
  }
  return captions;
}

std::optional<TimeRange> cut(const TimeRange& window, const std::optional<TimeRange>& range) {
  if (!range) return window;
  const TimeRange inside{std::max(window.start_us, range->start_us),
                         std::min(window.end_us, range->end_us)};
  return inside.start_us < inside.end_us ? std::optional(inside) : std::nullopt;
}

/// All windows, those in which most was found first; among equals in order.
std::vector<Place> places_of(const std::vector<Askable>& videos, const std::vector<Moment>& moments,
                             const AskOptions& options) {
  std::vector<Place> places;
  for (size_t i = 0; i < videos.size(); ++i) {
    Feeding feeding = videos[i].model.feeding();
    feeding.window_shots = 0;  // a question may be about what joins the shots: as many as fit
    for (const TimeRange& window : cut_windows(videos[i].known.shots, feeding)) {
      const auto range = cut(window, options.range);
      if (!range) continue;
      Place place{i, *range, 0};
      for (const Moment& moment : moments)
        if (moment.video == i && overlap(moment.range, *range)) place.score += moment.score;
      places.push_back(place);
    }
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.score > b.score; });
  return places;
}

std::string keyframe_in(const Document& document, const TimeRange& range) {
  const int64_t middle_us = range.start_us + range.duration_us() / 2;
  std::string best;
  int64_t nearest_us = INT64_MAX;
  for (const document::DocumentShot& shot : document.shots)
    for (const document::DocumentKeyframe& keyframe : shot.keyframes) {
      const int64_t distance_us = std::abs(keyframe.t_us - middle_us);
      if (!range.contains(keyframe.t_us) || distance_us >= nearest_us) continue;
      nearest_us = distance_us;
      best = keyframe.id;
    }
  return best;
}

double score_of(const std::vector<Moment>& moments, size_t video, const TimeRange& range) {
  double best = 0;
  for (const Moment& moment : moments)
    if (moment.video == video && overlap(moment.range, range)) best = std::max(best, moment.score);
  return best;
}

/// What was written of other parts or moments than their own: no proof of one.
bool tells_of_more(const Moment& moment) {
  return moment.kind == "chapter" || moment.kind == "scene" || moment.kind == "summary";
}

/// The caption, text or other element that tells most of a range; empty id where none does.
Moment told_in(const Document& document, size_t video, const TimeRange& range,
               const std::vector<Moment>& moments) {
  for (const Moment& moment : moments)
    if (moment.video == video && overlap(moment.range, range) && !tells_of_more(moment))
      return moment;
  for (const Json& caption : document.captions) {
    const TimeRange told = document::time_range(caption);
    if (caption.value("level", "") == "window" && overlap(told, range))
      return {video,
              told,
              "caption",
              caption.at("id").get<std::string>(),
              caption.at("text").get<std::string>(),
              0};
  }
  return {};
}

/// "1:05", "12.5 s", "3.0 seconds", "from 1.5 to 3.0 seconds" in a text, as microseconds.
std::vector<int64_t> times_in(const std::string& text) {
  static const std::regex kClock(R"((\d{1,2}):(\d{2})(?::(\d{2}))?)");
  static const std::regex kSeconds(
      R"((?:(\d+(?:\.\d+)?)\s*(?:to|-|–|and|bis|und)\s*)?(\d+(?:\.\d+)?)\s*(?:s\b|sec|seconds?\b|Sekunden?\b))");
  std::vector<int64_t> times;
  const auto add = [&](double seconds) { times.push_back(std::llround(seconds * 1e6)); };
  for (std::sregex_iterator it(text.begin(), text.end(), kClock), end; it != end; ++it) {
    const auto part = [&](size_t i) { return std::stod((*it)[i].str()); };
    add((*it)[3].matched ? part(1) * 3600 + part(2) * 60 + part(3) : part(1) * 60 + part(2));
  }
  for (std::sregex_iterator it(text.begin(), text.end(), kSeconds), end; it != end; ++it) {
    if ((*it)[1].matched) add(std::stod((*it)[1].str()));
    add(std::stod((*it)[2].str()));
  }
  return times;
}

bool covers_times(const std::vector<Citation>& citations, const std::string& text) {
  constexpr int64_t kTolerance_us = 600'000;
  const std::vector<int64_t> times = times_in(text);
  return std::all_of(times.begin(), times.end(), [&](int64_t t_us) {
    return std::any_of(citations.begin(), citations.end(), [&](const Citation& citation) {
      return t_us >= citation.range.start_us - kTolerance_us &&
             t_us <= citation.range.end_us + kTolerance_us;
    });
  });
}

/// What was asked before, behind the other facts: keys and values of all before it, the frames' first
/// of all, are those of the earlier question.
std::string with_turns(std::string facts, const std::vector<Turn>& history) {
  const auto quoted = [](const std::string& text) { return document::to_text(Json(one_line(text))); };
  for (const Turn& turn : history)
    facts += "\nAsked before: " + quoted(turn.question) + " Answered: " + quoted(turn.answer);
  return facts;
}

/// One question in the making.
class Asking {
 public:
  Asking(const std::vector<Askable>& videos, const std::vector<Moment>& moments,
         const std::string& question, const AskOptions& options)
      : videos_(videos), moments_(moments), question_(question), options_(options) {}

  Answer run() {
    const std::vector<Place> places = places_of(videos_, moments_, options_);
    check(!places.empty(), ErrorCode::kInvalidArgument,
          "there is nothing to look at in the range asked for");
    std::optional<Answer> first;
    for (size_t i = 0; i < places.size() && i < static_cast<size_t>(options_.most_windows); ++i) {
      Answer answer = look(places[i]);
      if (answer.shown && answer.sufficient) return finish(std::move(answer), places[i]);
      if (!first) first = std::move(answer);
    }
    check(first.has_value(), ErrorCode::kInvalidArgument, "no window may be looked at");
    return finish(std::move(*first), places.front());
  }

 private:
  Answer look(const Place& place) {
    const Askable& video = videos_[place.video];
    const std::vector<Caption> told = captions_of(video.known, options_.range);
    Part part{place.range,
              {{"language", language_name(options_.language)},
               {"facts", facts_for(video, place, told)},
               {"question", one_line(question_)}},
              true,
              512,
              true,
              words_watcher()};
    if (options_.watch.on_look) options_.watch.on_look(video.known.video.id, place.range);
    Answer answer;
    ask_parts(video, prompt("question"), {part},
              [&](size_t, const Checked& reply, const Clip& shown) {
                check(reply.problem.empty(), ErrorCode::kModel, video.model.card().id,
                      " gave no answer that could be read: ", reply.problem);
                answer.text = one_line(reply.value.at("answer").get<std::string>());
                answer.shown = reply.value.at("shown").get<bool>();
                cite(reply.value.at("evidence"), place, shown, told, answer);
                used_.tokens_in += reply.tokens_in;
                used_.tokens_out += reply.tokens_out;
                used_.frames_low += static_cast<int64_t>(shown.times_us.size());
              });
    ++used_.windows;
    if (!answer.shown) answer.citations.clear();
    answer.sufficient =
        answer.shown ? !answer.citations.empty() && covers_times(answer.citations, answer.text)
                     : false;
    return answer;
  }

  /// Takes a reply's text and tells the words of the answer in it.
  std::function<void(const std::string&)> words_watcher() const {
    if (!options_.watch.on_words) return {};
    return [words = std::make_shared<AnswerWords>(),
            tell = options_.watch.on_words](const std::string& piece) {
      if (const std::string added = words->push(piece); !added.empty()) tell(added);
    };
  }

  /// What is known of the window, and what the captions tell of the rest.
  std::string facts_for(const Askable& video, const Place& place,
                        const std::vector<Caption>& told) const {
    std::vector<Caption> captions = told;
    const int budget = video.model.feeding().reading_tokens;
    if (video.model.count_tokens(caption_lines(captions)) > budget) {
      const TimeRange near{place.range.start_us - 120'000'000, place.range.end_us + 120'000'000};
      std::erase_if(captions,
                    [&](const Caption& caption) { return !overlap(caption.range, near); });
    }
    return with_turns(known_facts(video.known, place.range, captions), options_.history);
  }

  void cite(const Json& evidence, const Place& place, const Clip& shown,
            const std::vector<Caption>& told, Answer& answer) {
    const Askable& video = videos_[place.video];
    for (const Json& item : evidence) {
      const auto claim = claimed_range(item);
      if (!claim || answer.citations.size() == kMostCitations) continue;
      Citation citation;
      citation.video = video.known.video.id;
      if (const auto seen = shown_part(*claim, shown)) {
        citation.range = *seen;
        citation.source = "frames";
      } else if (const auto read = told_part(*claim, told)) {
        const Moment moment = told_in(video.known, place.video, *read, moments_);
        citation.range = *read;
        citation.source = moment.kind.empty() ? "caption" : moment.kind;
        citation.of = moment.of;
        citation.text = moment.text;
      } else {
        continue;
      }
      citation.n = static_cast<int>(answer.citations.size()) + 1;
      citation.keyframe = keyframe_in(video.known, citation.range);
      citation.score = score_of(moments_, place.video, citation.range);
      answer.citations.push_back(std::move(citation));
    }
  }

  Answer finish(Answer answer, const Place& place) {
    const Askable& video = videos_[place.video];
    answer.by = made_by("ask", "vlm", video.model, prompt("question"));
    const std::string thing = options_.locate.empty() ? located_thing(question_) : options_.locate;
    if (!thing.empty() && (answer.shown || !options_.locate.empty()))
      add_boxes(video, place, thing, answer);
    answer.windows = used_.windows;
    answer.tokens_in = used_.tokens_in;
    answer.tokens_out = used_.tokens_out;
    answer.frames_low = used_.frames_low;
    answer.frames_high = used_.frames_high;
    return answer;
  }

  /// Boxes on the frame in the middle of the first thing cited.
  void add_boxes(const Askable& video, const Place& place, const std::string& thing,
                 Answer& answer) {
    TimeRange range = place.range;
    for (const Citation& citation : answer.citations)
      if (citation.video == video.known.video.id) {
        range = citation.range;
        break;
      }
    const int64_t t_us = range.start_us + range.duration_us() / 2;
    const auto pictures = read_pictures(video.video, {t_us}, video.stop);
    ++used_.frames_high;
    for (const Located& found : locate(*pictures.front(), thing, video.model, video.stop))
      answer.boxes.push_back({video.known.video.id, t_us, found.box, found.label});
  }

  const std::vector<Askable>& videos_;
  const std::vector<Moment>& moments_;
  const std::string& question_;
  const AskOptions& options_;
  Answer used_;  // its counts only
};

Json box_json(const BoxAt& box) {
  Json corners = Json::array();
  for (const float value : {box.box.x0, box.box.y0, box.box.x1, box.box.y1})
    corners.push_back(document::rounded(value, 5));
  return {{"video", box.video},
          {"t", document::seconds(box.t_us)},
          {"box", corners},
          {"label", box.label}};
}

}  // namespace

std::string located_thing(const std::string& question) {
  static const std::regex kWhere(
      R"(^\s*(?:where\s+(?:is|are|was|were)|wo\s+(?:ist|sind|war|waren))\s+(.+?)(?:\s+(?:at|bei)\s+[\d.:]+.*)?\s*\??\s*$)",
      std::regex::icase);
  std::smatch match;
  return std::regex_match(question, match, kWhere) ? match[1].str() : "";
}

Answer ask(const std::vector<Askable>& videos, const std::vector<Moment>& moments,
           const std::string& question, const AskOptions& options) {
  check(question.find_first_not_of(" \t\r\n") != std::string::npos, ErrorCode::kInvalidArgument,
        "the question is empty");
  check(!videos.empty(), ErrorCode::kInvalidArgument, "there is no video to ask about");
  const auto start = std::chrono::steady_clock::now();
  Answer answer = Asking(videos, moments, question, options).run();
  answer.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return answer;
}

std::vector<Citation> cite_moments(const std::vector<const Document*>& videos,
                                   const std::vector<Moment>& moments) {
  constexpr size_t kMost = 5;
  std::vector<Citation> citations;
  for (const Moment& moment : std::span(moments).first(std::min(kMost, moments.size()))) {
    const Document& document = *videos[moment.video];
    citations.push_back({static_cast<int>(citations.size()) + 1, document.video.id, moment.range,
                         keyframe_in(document, moment.range), moment.kind, moment.of, moment.text,
                         moment.score});
  }
  return citations;
}

Answer answer_by_search(const std::vector<const Document*>& videos,
                        const std::vector<Moment>& moments) {
  Answer answer;
  answer.engine = "search";
  answer.shown = !moments.empty();
  answer.text = moments.empty() ? "No caption, text, person or object matches the question."
                                : "These moments match the question; nobody looked at them.";
  answer.citations = cite_moments(videos, moments);
  return answer;
}

Json to_json(const Citation& citation) {
  Json json = {{"n", citation.n},
               {"video", citation.video},
               {"start", document::seconds(citation.range.start_us)},
               {"end", document::seconds(citation.range.end_us)}};
  if (!citation.keyframe.empty()) json["keyframe"] = citation.keyframe;
  json["source"] = citation.source;
  if (!citation.of.empty()) json["of"] = citation.of;
  if (!citation.text.empty()) json["text"] = citation.text;
  if (citation.score > 0) json["score"] = document::rounded(citation.score, 5);
  return json;
}

Json to_json(const Answer& answer) {
  Json json = {{"answer", answer.text}, {"shown", answer.shown}, {"sufficient", answer.sufficient}};
  json["citations"] = Json::array();
  for (const Citation& citation : answer.citations)
    json["citations"].push_back(to_json(citation));
  if (!answer.boxes.empty()) {
    json["boxes"] = Json::array();
    for (const BoxAt& box : answer.boxes) json["boxes"].push_back(box_json(box));
  }
  json["used"] = {
      {"windows", answer.windows},         {"frames_low", answer.frames_low},
      {"frames_high", answer.frames_high}, {"tokens_in", answer.tokens_in},
      {"tokens_out", answer.tokens_out},   {"seconds", document::rounded(answer.seconds, 3)}};
  json["engine"] = answer.engine;
  json["words_only"] = answer.words_only.empty() ? Json() : Json(answer.words_only);
  if (!answer.by.is_null()) json["by"] = answer.by;
  json["degraded"] = nullptr;
  if (answer.degraded)
    json["degraded"] = {{"code", answer.degraded->code},
                        {"message", answer.degraded->message},
                        {"missing", answer.degraded->missing},
                        {"retry", answer.degraded->retry}};
  return json;
}

}  // namespace prismvid::deep

#include <algorithm>

#include "core/error.h"
#include "core/stage_output.h"
#include "deep/evidence.h"
#include "deep/language.h"
#include "deep/levels.h"
#include "document/json.h"

// Story arcs of typed beats, from captions.
namespace prismvid::deep {
namespace {

using document::Json;
using document::seconds;

constexpr size_t kMostEvidence = 3;  // captions of a beat

struct Beat {
  TimeRange range;
  Json json;
  double intensity;
};

/// The captions a beat rests on: those in its range that share its words, else all in it.
std::vector<TimeRange> evidence_of(const std::string& text, const TimeRange& range,
                                   const std::vector<Caption>& captions) {
  std::vector<TimeRange> ranges;
  for (const Caption& caption : supporting(text, captions, kMostEvidence, range))
    ranges.push_back(caption.range);
  if (ranges.empty()) ranges.push_back(range);
  return ranges;
}

std::vector<Beat> beats_of(const Json& arc, const std::vector<Caption>& captions, Losses& losses) {
  std::vector<Beat> beats;
  for (const Json& item : arc.at("beats")) {
    const auto claim = claimed_range(item);
    const auto range = claim ? told_part(*claim, captions) : std::nullopt;
    if (!range) {
      losses.add("beat where nothing was shown");
      continue;
    }
    const std::string text = one_line(item.at("text").get<std::string>());
    const double intensity = document::rounded(item.at("intensity").get<double>(), 4);
    beats.push_back({*range,
                     {{"kind", item.at("kind")},
                      {"start", seconds(range->start_us)},
                      {"end", seconds(range->end_us)},
                      {"text", text},
                      {"intensity", intensity},
                      {"evidence", evidence_json(evidence_of(text, *range, captions))}},
                     intensity});
  }
  std::stable_sort(beats.begin(), beats.end(), [](const Beat& a, const Beat& b) {
    return a.range.start_us < b.range.start_us;
  });
  return beats;
}

/// [t, intensity] at the middle of every beat, in order.
Json curve_of(std::vector<Beat> beats) {
  std::stable_sort(beats.begin(), beats.end(), [](const Beat& a, const Beat& b) {
    return a.range.start_us < b.range.start_us;
  });
  Json curve = Json::array();
  for (const Beat& beat : beats)
    curve.push_back({seconds(beat.range.start_us + beat.range.duration_us() / 2), beat.intensity});
  return curve;
}

}  // namespace

StageResult write_story(const Work& work, const std::vector<Caption>& captions) {
  StageResult result;
  const std::vector<Caption> lines = condensed(work, captions, result);
  const Checked reply = ask_reading(
      work, prompt("story"),
      {{"language", language_name(work.language)}, {"captions", caption_lines(lines)}}, 2048);
  result.tokens_in += reply.tokens_in;
  result.tokens_out += reply.tokens_out;
  check(reply.problem.empty(), ErrorCode::kModel, work.model.card().id,
        " gave no story that could be read: ", reply.problem);
  Losses losses;
  Json arcs = Json::array();
  std::vector<Beat> all;
  const bool applicable = reply.value.at("applicable").get<bool>();
  for (const Json& arc : applicable ? reply.value.at("arcs") : Json::array()) {
    const std::vector<Beat> beats = beats_of(arc, captions, losses);
    if (beats.empty()) {
      losses.add("arc without a beat");
      continue;
    }
    Json list = Json::array();
    for (const Beat& beat : beats) list.push_back(beat.json);
    Json cast = Json::array();
    for (const Json& name : arc.at("people")) cast.push_back(one_line(name.get<std::string>()));
    arcs.push_back(
        {{"title", one_line(arc.at("title").get<std::string>())}, {"cast", cast}, {"beats", list}});
    all.insert(all.end(), beats.begin(), beats.end());
  }
  check(!applicable || !arcs.empty(), ErrorCode::kModel, work.model.card().id,
        " told a story without a beat that was shown");
  result.json = {{"story",
                  {{"applicable", applicable},
                   {"arcs", arcs},
                   {"curve", curve_of(all)},
                   {"by", made_by(stage::kStory, "llm", work.model, prompt("story"))}}}};
  result.warnings = losses.warnings(stage::kStory);
  return result;
}

}  // namespace prismvid::deep

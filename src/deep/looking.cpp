#include <algorithm>

#include "core/error.h"
#include "core/stage_output.h"
#include "deep/evidence.h"
#include "deep/language.h"
#include "deep/parts.h"
#include "deep/windows.h"
#include "document/json.h"

// The stages that look at the video: captions of its windows and descriptions of its scenes.
namespace prismvid::deep {
namespace {

using document::Json;
using document::seconds;

constexpr int kCaptionTokens = 2048;
constexpr const char* kNotShown = "caption that cites what was not shown";

Part part_of(const Work& work, const TimeRange& range, int max_tokens) {
  return {range,
          {{"language", language_name(work.language)}, {"facts", known_facts(work.known, range)}},
          true,
          max_tokens};
}

void add_counts(const Checked& reply, const Clip& shown, StageResult& result) {
  result.tokens_in += reply.tokens_in;
  result.tokens_out += reply.tokens_out;
  result.frames += static_cast<int64_t>(shown.times_us.size());
}

Json caption_json(const Caption& caption, const Json& by) {
  return {{"level", "window"},
          {"start", seconds(caption.range.start_us)},
          {"end", seconds(caption.range.end_us)},
          {"text", caption.text},
          {"evidence", evidence_json({caption.range})},
          {"by", by}};
}

/// The captions of a reply whose times were shown, in order of time.
std::vector<Caption> sound_captions(const Json& reply, const Clip& shown, Losses& losses) {
  std::vector<Caption> captions;
  for (const Json& item : reply.at("captions")) {
    const auto claim = claimed_range(item);
    const auto range = claim ? shown_part(*claim, shown) : std::nullopt;
    const std::string text = one_line(item.at("text").get<std::string>());
    if (!range)
      losses.add(kNotShown);
    else if (text.empty())
      losses.add("caption without a word");
    else
      captions.push_back({*range, text});
  }
  std::stable_sort(captions.begin(), captions.end(), [](const Caption& a, const Caption& b) {
    return a.range.start_us < b.range.start_us;
  });
  return captions;
}

TimeRange scene_or_whole(const Work& work, size_t scene) {
  return work.known.scenes.empty() ? work.known.analysis.range : work.known.scenes[scene].range;
}

}  // namespace

StageResult write_captions(const Work& work) {
  const Prompt& captions_prompt = prompt("captions");
  std::vector<Part> parts;
  for (const TimeRange& window : cut_windows(work.known.shots, work.model.feeding()))
    parts.push_back(part_of(work, window, kCaptionTokens));
  StageResult result;
  Losses losses;
  size_t failed = 0;
  std::string problem;
  Json captions = Json::array();
  const Json by = made_by(stage::kCaption, "vlm", work.model, captions_prompt);
  ask_parts(work, captions_prompt, parts, [&](size_t i, const Checked& reply, const Clip& shown) {
    add_counts(reply, shown, result);
    if (reply.problem.empty()) {
      for (const Caption& caption : sound_captions(reply.value, shown, losses))
        captions.push_back(caption_json(caption, by));
    } else {
      ++failed;
      problem = reply.problem;
      losses.add("window (" + reply.problem + ")");
    }
    work.on_progress(parts[i].range.end_us - work.known.analysis.range.start_us);
  });
  check(parts.empty() || failed < parts.size(), ErrorCode::kModel, work.model.card().id,
        " gave no caption that could be read: ", problem);
  result.json = {{"captions", captions}};
  result.warnings = losses.warnings(stage::kCaption);
  return result;
}

StageResult describe_scenes(const Work& work) {
  const Prompt& scene_prompt = prompt("scene");
  std::vector<Part> parts;
  for (size_t i = 0; i < std::max<size_t>(1, work.known.scenes.size()); ++i)
    parts.push_back(part_of(work, scene_or_whole(work, i), 1024));
  StageResult result;
  Losses losses;
  size_t failed = 0;
  std::string problem;
  Json scenes = Json::array();
  const Json by = made_by(stage::kDescribe, "vlm", work.model, scene_prompt);
  ask_parts(work, scene_prompt, parts, [&](size_t i, const Checked& reply, const Clip& shown) {
    add_counts(reply, shown, result);
    if (reply.problem.empty()) {
      scenes.push_back({{"scene", i},
                        {"title", one_line(reply.value.at("title").get<std::string>())},
                        {"start", seconds(parts[i].range.start_us)},
                        {"end", seconds(parts[i].range.end_us)},
                        {"text", one_line(reply.value.at("description").get<std::string>())},
                        {"evidence", evidence_json({parts[i].range})},
                        {"by", by}});
    } else {
      ++failed;
      problem = reply.problem;
      losses.add("scene (" + reply.problem + ")");
    }
    work.on_progress(parts[i].range.end_us - work.known.analysis.range.start_us);
  });
  check(failed < parts.size(), ErrorCode::kModel, work.model.card().id,
        " gave no description that could be read: ", problem);
  result.json = {{"scenes", scenes}};
  result.warnings = losses.warnings(stage::kDescribe);
  return result;
}

std::vector<Caption> read_captions(const Json& result) {
  std::vector<Caption> captions;
  try {
    for (const Json& item : result.at("captions"))
      captions.push_back({document::time_range(item), item.at("text").get<std::string>()});
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kStore, "the stored captions are damaged: ", e.what());
  }
  return captions;
}

}  // namespace prismvid::deep

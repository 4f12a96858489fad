// text_tracks VIDEO FPS SIDE [FRAME...]: the text of a video as JSON: tracks, the time each sample
// took, and what a single look at each FRAME reads. bench/text/run.py compares it with what was
// drawn and with rapidocr.
#include <cstdlib>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "media/open_video.h"
#include "vision/text/read_clip.h"

namespace {

using namespace prismvid;
using nlohmann::json;

const char* role_name(TextRole role) {
  static const std::map<TextRole, const char*> names{{TextRole::kSubtitle, "subtitle"},
                                                     {TextRole::kOverlay, "overlay"},
                                                     {TextRole::kScene, "scene"},
                                                     {TextRole::kCredits, "credits"},
                                                     {TextRole::kUnknown, "unknown"}};
  return names.at(role);
}

json tracks_json(const std::vector<TextTrack>& tracks) {
  json list = json::array();
  for (const TextTrack& track : tracks)
    list.push_back({{"text", track.text},
                    {"start_us", track.range.start_us},
                    {"end_us", track.range.end_us},
                    {"role", role_name(track.role)},
                    {"language", track.language},
                    {"confidence", track.confidence},
                    {"observations", track.observations}});
  return list;
}

json frames_json(const char* video, const std::set<int64_t>& wanted, vision::TextEngine& engine) {
  json frames = json::object();
  const auto source = media::open_video(video);
  while (const auto frame = source->next()) {
    if (!wanted.contains(frame->index)) continue;
    json lines = json::array();
    for (const auto& line :
         engine.read(frame->rgb(fit_within(frame->display_size(), vision::kSampleSide))))
      lines.push_back({{"text", line.text}, {"x", line.quad[0].x}, {"y", line.quad[0].y}});
    frames[std::to_string(frame->index)] = std::move(lines);
  }
  return frames;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: text_tracks VIDEO FPS SIDE [FRAME...]\n";
    return 2;
  }
  vision::TextEngineOptions options;
  options.detection_side = std::atoi(argv[3]);
  if (std::getenv("PRISMVID_EXACT")) options.precision = vision::Precision::kExact;
  const auto engine = vision::make_text_engine(vision::ModelRegistry::standard(), options);
  const tests::ClipText clip = tests::read_clip(argv[1], *engine, std::atof(argv[2]));
  std::set<int64_t> wanted;
  for (int i = 4; i < argc; ++i) wanted.insert(std::atoll(argv[i]));
  json result{{"tracks", tracks_json(clip.tracks)},
              {"sample_ms", clip.sample_ms},
              {"samples", clip.stats.samples},
              {"detections", clip.stats.detections},
              {"recognitions", clip.stats.recognitions}};
  if (!wanted.empty()) result["frames"] = frames_json(argv[1], wanted, *engine);
  std::cout << result.dump(1) << "\n";
}

#include "deep/feeding.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace prismvid::deep {

Feeding read_feeding(const std::filesystem::path& model_folder) {
  Feeding feeding;
  const std::filesystem::path file = model_folder / "prismvid.json";
  std::ifstream in(file, std::ios::binary);
  if (!in.good()) return feeding;
  try {
    const nlohmann::json json = nlohmann::json::parse(in);
    feeding.frames_per_second = json.value("frames_per_second", feeding.frames_per_second);
    if (json.contains("window_seconds"))
      feeding.window_us = std::llround(json["window_seconds"].get<double>() * 1e6);
    feeding.window_shots = json.value("window_shots", feeding.window_shots);
    feeding.frame_tokens = json.value("frame_tokens", feeding.frame_tokens);
    feeding.keyframes = json.value("keyframes", feeding.keyframes);
    feeding.keyframe_tokens = json.value("keyframe_tokens", feeding.keyframe_tokens);
    feeding.reading_tokens = json.value("reading_tokens", feeding.reading_tokens);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kModel, file.string(), " is damaged: ", e.what());
  }
  check(feeding.frames_per_second > 0 && feeding.frames_per_second <= 30 &&
            feeding.window_us >= 1'000'000 && feeding.frame_tokens > 0 && feeding.keyframes >= 0 &&
            feeding.reading_tokens >= 100,
        ErrorCode::kModel, file.string(), " recommends what cannot be");
  return feeding;
}

}  // namespace prismvid::deep

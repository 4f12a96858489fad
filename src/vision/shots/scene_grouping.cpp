#include "vision/shots/scene_grouping.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::vision {
namespace {

constexpr int kBinsPerChannel = 6;
constexpr int kBins = kBinsPerChannel * kBinsPerChannel * kBinsPerChannel;
constexpr int kBands = 3;

int bin(uint8_t value) {
  return value * kBinsPerChannel / 256;
}

}  // namespace

ShotSignature make_shot_signature(ImageView rgb) {
  check(rgb.channels == 3 && !rgb.empty(), ErrorCode::kInvalidArgument,
        "a shot signature needs an RGB picture");
  ShotSignature histogram(kBins * kBands, 0.0f);
  const float weight = 1.0f / (static_cast<float>(rgb.width) * static_cast<float>(rgb.height));
  for (int y = 0; y < rgb.height; ++y) {
    float* band = histogram.data() + static_cast<ptrdiff_t>(y) * kBands / rgb.height * kBins;
    const uint8_t* p = rgb.row(y);
    for (int x = 0; x < rgb.width; ++x, p += 3)
      band[(bin(p[0]) * kBinsPerChannel + bin(p[1])) * kBinsPerChannel + bin(p[2])] += weight;
  }
  return histogram;
}

float similarity(const ShotSignature& a, const ShotSignature& b) {
  if (a.size() != b.size()) return 0;
  float overlap = 0;
  for (size_t i = 0; i < a.size(); ++i) overlap += std::min(a[i], b[i]);
  return overlap;
}

std::vector<Scene> group_scenes(std::span<const Shot> shots,
                                std::span<const ShotSignature> signatures,
                                const SceneOptions& options) {
  check(shots.size() == signatures.size(), ErrorCode::kInvalidArgument, "group_scenes got ",
        shots.size(), " shots and ", signatures.size(), " signatures");
  std::vector<Scene> scenes;
  for (int shot = 0; shot < static_cast<int>(shots.size()); ++shot) {
    // The earliest look-alike within the window: everything since belongs together.
    int joined = shot;
    for (int earlier = shot - 1; earlier >= std::max(0, shot - options.window_shots); --earlier) {
      if (shots[shot].range.start_us - shots[earlier].range.end_us > options.window_us) break;
      if (similarity(signatures[shot], signatures[earlier]) >= options.similar) joined = earlier;
    }
    while (!scenes.empty() && scenes.back().first_shot > joined) scenes.pop_back();
    if (!scenes.empty() && scenes.back().last_shot >= joined)
      scenes.back().last_shot = shot;
    else
      scenes.push_back({joined, shot});
  }
  return scenes;
}

}  // namespace prismvid::vision

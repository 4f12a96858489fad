#pragma once

#include <span>
#include <vector>

#include "core/image.h"
#include "core/results.h"

namespace prismvid::vision {

/// Colours of a picture for comparing shots: L1-normalised histogram of its top, middle and bottom
/// third.
using ShotSignature = std::vector<float>;

ShotSignature make_shot_signature(ImageView rgb);

/// 0..1: how much two signatures overlap; 0 when one is empty.
float similarity(const ShotSignature& a, const ShotSignature& b);

struct SceneOptions {
  int64_t window_us =
      60'000'000;        // a shot joins an earlier look-alike that is at most this far back
  int window_shots = 8;  // and at most this many shots back
  float similar = 0.55f;
};

/// Groups shots into scenes: a shot that looks like one of the last few belongs to its scene,
/// together with everything between, so that shot and reverse shot become one. `signatures[i]`
/// describes `shots[i]`. Scenes are runs that cover all shots in order.
std::vector<Scene> group_scenes(std::span<const Shot> shots,
                                std::span<const ShotSignature> signatures,
                                const SceneOptions& options = {});

}  // namespace prismvid::vision

#pragma once

#include <span>
#include <vector>

#include "core/results.h"

namespace prismvid::vision {

struct LabelAggregation {
  float least_confidence = 0.15f;  // of the mean over a shot's or scene's keyframes
  size_t most = 5;                 // labels a shot or scene
};

/// Labels of one shot or scene, best first; empty where nothing was sure enough.
using SegmentLabels = std::vector<LabelScore>;

/// For each shot the labels of its keyframes (those whose time lies in it), by mean confidence.
std::vector<SegmentLabels> labels_of_shots(std::span<const KeyframeLabels> keyframes,
                                           std::span<const Shot> shots,
                                           const LabelAggregation& options = {});

/// For each scene the labels of its shots' keyframes; a shot counts by its duration.
std::vector<SegmentLabels> labels_of_scenes(std::span<const KeyframeLabels> keyframes,
                                            std::span<const Shot> shots,
                                            std::span<const Scene> scenes,
                                            const LabelAggregation& options = {});

}  // namespace prismvid::vision

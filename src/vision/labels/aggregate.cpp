#include "vision/labels/aggregate.h"

#include <algorithm>
#include <map>
#include <string>

#include "core/error.h"

namespace prismvid::vision {
namespace {

using Confidences = std::map<std::string, double>;

/// Mean confidence of each label over the keyframes in `range`; a keyframe without the label counts
/// as 0.
Confidences mean_confidences(std::span<const KeyframeLabels> keyframes, const TimeRange& range) {
  Confidences means;
  size_t count = 0;
  for (const KeyframeLabels& keyframe : keyframes) {
    if (!range.contains(keyframe.pts_us)) continue;
    ++count;
    for (const LabelScore& label : keyframe.labels) means[label.name] += label.confidence;
  }
  for (auto& [name, confidence] : means) confidence /= static_cast<double>(count);
  return means;
}

bool has_keyframe(std::span<const KeyframeLabels> keyframes, const TimeRange& range) {
  return std::any_of(keyframes.begin(), keyframes.end(), [&](const KeyframeLabels& keyframe) {
    return range.contains(keyframe.pts_us);
  });
}

SegmentLabels best(const Confidences& confidences, const LabelAggregation& options) {
  SegmentLabels labels;
  for (const auto& [name, confidence] : confidences)
    if (confidence >= options.least_confidence)
      labels.push_back({name, static_cast<float>(confidence)});
  std::stable_sort(labels.begin(), labels.end(), [](const LabelScore& a, const LabelScore& b) {
    return a.confidence > b.confidence;
  });
  if (labels.size() > options.most) labels.resize(options.most);
  return labels;
}

}  // namespace

std::vector<SegmentLabels> labels_of_shots(std::span<const KeyframeLabels> keyframes,
                                           std::span<const Shot> shots,
                                           const LabelAggregation& options) {
  std::vector<SegmentLabels> result;
  for (const Shot& shot : shots)
    result.push_back(best(mean_confidences(keyframes, shot.range), options));
  return result;
}

std::vector<SegmentLabels> labels_of_scenes(std::span<const KeyframeLabels> keyframes,
                                            std::span<const Shot> shots,
                                            std::span<const Scene> scenes,
                                            const LabelAggregation& options) {
  std::vector<SegmentLabels> result;
  for (const Scene& scene : scenes) {
    check(scene.first_shot >= 0 && scene.first_shot <= scene.last_shot &&
              scene.last_shot < static_cast<int>(shots.size()),
          ErrorCode::kInternal, "scene of shots ", scene.first_shot, " to ", scene.last_shot,
          " of ", shots.size());
    Confidences sums;
    double duration = 0;
    for (const Shot& shot :
         shots.subspan(scene.first_shot, scene.last_shot - scene.first_shot + 1)) {
      if (!has_keyframe(keyframes, shot.range)) continue;
      const auto weight = static_cast<double>(std::max<int64_t>(shot.range.duration_us(), 1));
      duration += weight;
      for (const auto& [name, confidence] : mean_confidences(keyframes, shot.range))
        sums[name] += weight * confidence;
    }
    for (auto& [name, confidence] : sums) confidence /= duration;
    result.push_back(best(sums, options));
  }
  return result;
}

}  // namespace prismvid::vision

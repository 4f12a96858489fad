#include "vision/shots/cut_finder.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace prismvid::vision {
namespace {

constexpr float kCutStep = 0.30f;
constexpr float kQuietCutStep = 0.22f;  // enough in a quiet shot
constexpr float kQuietStandOut = 4.0f;
constexpr float kSureStep = 0.55f;
constexpr float kStandOut = 2.0f;  // times the steps around it
constexpr int64_t kAround = 4;
constexpr size_t kOtherCuts = 2;
constexpr float kReturn = 0.6f;  // of the step: a picture this near to the old one is the old scene

}  // namespace

void FrameHistory::add(FrameSignature signature) {
  FrameRecord record{std::move(signature), 0, 0};
  if (!frames_.empty()) {
    record.structure_step = structure_distance(frames_.back().signature, record.signature);
    record.colour_step = colour_distance(frames_.back().signature, record.signature);
  }
  frames_.push_back(std::move(record));
}

void FrameHistory::drop_before(int64_t position) {
  for (; !frames_.empty() && begin_ < position; ++begin_) frames_.pop_front();
}

bool CutFinder::suspects(int64_t position) const {
  return position > history_.begin() && history_[position].structure_step >= kQuietCutStep;
}

std::optional<float> CutFinder::cut_at(int64_t position) const {
  if (!suspects(position) || !stands_out(position) || returns(position)) return std::nullopt;
  const float step = history_[position].structure_step;
  return std::clamp(0.5f + 0.5f * (step - kQuietCutStep) / (kSureStep - kQuietCutStep), 0.5f, 1.0f);
}

bool CutFinder::stands_out(int64_t position) const {
  std::vector<float> around;
  const int64_t first = std::max(history_.begin() + 1, position - kAround);
  const int64_t last = std::min(history_.end() - 1, position + kAround);
  for (int64_t other = first; other <= last; ++other)
    if (other != position) around.push_back(history_[other].structure_step);
  // The largest ones may be cuts themselves.
  std::sort(around.begin(), around.end(), std::greater<>());
  const float step = history_[position].structure_step;
  const float factor = step >= kCutStep ? kStandOut : kQuietStandOut;
  return around.size() <= kOtherCuts || around[kOtherCuts] * factor <= step;
}

bool CutFinder::returns(int64_t position) const {
  const float limit = history_[position].structure_step * kReturn;
  for (int64_t before = position - 1;
       before >= std::max(history_.begin(), position - kTransientFrames); --before)
    for (int64_t after = position; after - before <= kTransientFrames && after < history_.end();
         ++after)
      if (after - before > 1 &&
          structure_distance(history_[before].signature, history_[after].signature) < limit)
        return true;
  return false;
}

}  // namespace prismvid::vision

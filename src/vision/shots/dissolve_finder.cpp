#include "vision/shots/dissolve_finder.h"

#include <algorithm>
#include <cmath>

#include "vision/shots/picture_mixture.h"

namespace prismvid::vision {
namespace {

constexpr float kLeastContrast = 0.10f;
constexpr float kCellChange = 3.0f;  // of 255, in a cell that shows something else
constexpr float kLeastAcross = 0.20f;  // distance of a window's ends
constexpr float kAccepted = 0.6f;
constexpr float kSure = 0.9f;
constexpr int64_t kMargin = 8;  // frames around a window in which the ramp may begin and end
constexpr int64_t kShortest = 4;
constexpr float kReturn = 0.75f;  // of the distance of the ends
constexpr int64_t kReturnStep = 5;
constexpr int64_t kReturnReach = 40;
constexpr float kLargestRampError = 0.22f;
constexpr int64_t kApart = 12;  // frames: two dissolves this near are one that was seen twice

}  // namespace

DissolveFinder::Contrast DissolveFinder::contrast(int64_t position, int64_t length,
                                                  const Stretch& stretch) const {
  Contrast result{position, 0, 0, stretch};
  const int64_t before = position - length / 2 - 1;
  const int64_t after = before + length + 1;
  // Long windows change little from one position to the next.
  const int64_t stride = 1 + length / 16;
  if (position % stride != 0 || before < stretch.begin || after >= stretch.end) return result;
  result.across = structure_distance(history_[before].signature, history_[after].signature);
  if (result.across < kLeastAcross) return result;
  const int64_t side = std::clamp<int64_t>(length / 2, 3, 10);
  const auto distance = [&](int64_t a, int64_t b) {
    return a == b ? 0.0f : structure_distance(history_[a].signature, history_[b].signature);
  };
  const float sides = std::max(distance(std::max(stretch.begin, before - side), before),
                               distance(after, std::min(stretch.end - 1, after + side)));
  result.value = std::max(0.0f, result.across - sides);
  return result;
}

void DissolveFinder::examine(int64_t position, const Stretch& stretch) {
  examined_ = position + 1;
  for (size_t scale = 0; scale < kLengths.size(); ++scale) {
    contrasts_[scale].push_back(contrast(position, kLengths[scale], stretch));
    consider_peak(scale, false);
  }
}

/// The oldest contrast in line is a peak when it is the largest within a third of its window on
/// both sides.
void DissolveFinder::consider_peak(size_t scale, bool final) {
  const int64_t reach = std::max<int64_t>(2, kLengths[scale] / 3);
  auto& line = contrasts_[scale];
  const auto middle = static_cast<size_t>(reach);
  if (!final && line.size() < 2 * middle + 1) return;
  if (line.size() > middle && line[middle].value >= kLeastContrast) {
    const Contrast& peak = line[middle];
    bool largest = true;
    for (size_t i = 0; i < line.size(); ++i)
      largest = largest && (i < middle ? line[i].value < peak.value : line[i].value <= peak.value);
    if (largest) add_candidate(peak, kLengths[scale]);
  }
  line.pop_front();
}

void DissolveFinder::add_candidate(const Contrast& peak, int64_t length) {
  const Stretch& stretch = peak.stretch;
  const int64_t before = std::max(stretch.begin, peak.middle - length / 2 - 2);
  const int64_t after = std::min(stretch.end - 1, before + length + 3);
  const int64_t first = std::max(stretch.begin, before - kMargin);
  const int64_t last = std::min(stretch.end - 1, after + kMargin);
  const PictureMixture mixture(history_[before].signature, history_[after].signature);
  std::vector<float> shares;
  for (int64_t t = first; t <= last; ++t)
    shares.push_back(mixture.explain(history_[t].signature).share);
  // Where the scenes move, the fitted ramp is shorter than the dissolve: the window itself may rate
  // better.
  const Ramp fitted = fit_ramp(shares);
  if (consider(first + fitted.begin, first + fitted.end, fitted.error, peak) >= kSure) return;
  // Where the scenes move, the fitted ramp is shorter than the dissolve: the window itself may rate
  // better.
  const auto window_begin = static_cast<int>(before + 2 - first);
  const auto window_end =
      std::min(static_cast<int>(shares.size()), static_cast<int>(window_begin + length));
  consider(first + window_begin, first + window_end, ramp_error(shares, window_begin, window_end),
           peak);
}

float DissolveFinder::consider(int64_t begin, int64_t end, float ramp_error, const Contrast& peak) {
  Candidate candidate;
  candidate.boundary = {(begin + end) / 2, TransitionKind::kDissolve, begin, end, 0};
  if (end - begin < kShortest || begin <= peak.stretch.begin || end >= peak.stretch.end) return 0;
  if (ramp_error > kLargestRampError || jumps(candidate.boundary) ||
      changes_only_a_part(candidate.boundary))
    return 0;
  DissolveFeatures f = features(candidate.boundary, peak);
  f.ramp_error = 4 * ramp_error;
  candidate.rating = rate_dissolve(f);
  if (observer) observer(candidate.boundary, f);
  candidate.boundary.confidence = candidate.rating;
  if (candidate.rating >= kAccepted && !returns(candidate.boundary, peak.stretch))
    candidates_.push_back(candidate);
  return candidate.rating;
}

/// A dissolve advances evenly; a flash or a change of light does not.
bool DissolveFinder::jumps(const Boundary& boundary) const {
  std::vector<float> steps;
  for (int64_t t = boundary.range_begin; t <= boundary.range_end; ++t)
    steps.push_back(history_[t].colour_step);
  std::sort(steps.begin(), steps.end());
  const float usual = steps[steps.size() * 3 / 4];
  return steps.back() > 4 * usual + 0.01f;
}

/// A dissolve changes the picture everywhere; a caption or a sprite that comes in changes a part of it.
bool DissolveFinder::changes_only_a_part(const Boundary& boundary) const {
  const FrameSignature::Cells& before = history_[boundary.range_begin - 1].signature.cells;
  const FrameSignature::Cells& after = history_[boundary.range_end].signature.cells;
  size_t changed = 0;
  for (size_t cell = 0; cell < before.size(); cell += 3) {
    float difference = 0;
    for (size_t c = cell; c < cell + 3; ++c) difference = std::max(difference, std::abs(before[c] - after[c]));
    if (difference > kCellChange) ++changed;
  }
  return changed * 3 < before.size() / 4;
}

/// After an explosion or a strobe the old picture comes back; the ends of the window are not all
/// there is.
bool DissolveFinder::returns(const Boundary& boundary, const Stretch& stretch) const {
  const auto near = [&](int64_t a, int64_t b, float limit) {
    return structure_distance(history_[a].signature, history_[b].signature) < limit;
  };
  const int64_t before = boundary.range_begin - 1;
  const int64_t after = boundary.range_end;
  const float limit =
      kReturn * structure_distance(history_[before].signature, history_[after].signature);
  for (int64_t gap = kReturnStep; gap <= kReturnReach; gap += kReturnStep) {
    if (after + gap < stretch.end && near(before, after + gap, limit)) return true;
    if (before - gap >= std::max(stretch.begin, history_.begin()) &&
        near(before - gap, after, limit))
      return true;
  }
  return false;
}

float DissolveFinder::mean_step(int64_t begin, int64_t end, int64_t gap,
                                const Stretch& stretch) const {
  float total = 0;
  int count = 0;
  for (int64_t t = std::max(begin, stretch.begin); t + gap < std::min(end, stretch.end);
       t += std::max<int64_t>(1, gap / 2), ++count)
    total += structure_distance(history_[t].signature, history_[t + gap].signature);
  return count == 0 ? 0.0f : total / static_cast<float>(count);
}

float DissolveFinder::local_misfit(int64_t begin, int64_t end, const Stretch& stretch) const {
  const int64_t gap = std::clamp<int64_t>((end - begin) / 4, 1, 8);
  float total = 0;
  int count = 0;
  for (int64_t t = std::max(begin + gap / 2, stretch.begin + gap);
       t < std::min(end - gap / 2, stretch.end - gap); ++t, ++count)
    total += PictureMixture(history_[t - gap].signature, history_[t + gap].signature)
                 .misfit(history_[t].signature);
  return count == 0 ? 3.0f : total / static_cast<float>(count);
}

DissolveFeatures DissolveFinder::features(const Boundary& boundary, const Contrast& peak) const {
  const int64_t begin = boundary.range_begin;
  const int64_t end = boundary.range_end;
  const FrameSignature& from = history_[begin - 1].signature;
  const FrameSignature& to = history_[end].signature;
  const FrameSignature& middle = history_[(begin + end) / 2].signature;
  const PictureMixture mixture(from, to);
  DissolveFeatures f;
  f.contrast = peak.value;
  f.ends = structure_distance(from, to);
  f.ends_colour = 4 * colour_distance(from, to);
  float least_gradient = std::min(from.gradient, to.gradient) + 1;
  float wide = 0;
  for (int64_t t = begin; t < end; ++t) {
    const FrameSignature& picture = history_[t].signature;
    f.explained += mixture.explain(picture).explained / static_cast<float>(end - begin);
    wide += mixture.misfit(picture) / static_cast<float>(end - begin);
    least_gradient = std::min(least_gradient, picture.gradient + 1);
  }
  const float local = local_misfit(begin, end, peak.stretch);
  f.local_misfit = local / (1 + local);
  f.wide_misfit = wide / (1 + wide);
  f.gradient_dip = least_gradient / (0.5f * (from.gradient + to.gradient) + 1);
  const int64_t gap = std::clamp<int64_t>((end - begin) / 6, 1, 8);
  f.inside_step = mean_step(begin - 1, end + 1, gap, peak.stretch);
  f.before_step = mean_step(begin - 12 - gap, begin, gap, peak.stretch);
  f.after_step = mean_step(end, end + 12 + gap, gap, peak.stretch);
  f.middle_to_begin = structure_distance(from, middle);
  f.middle_to_end = structure_distance(middle, to);
  f.length = static_cast<float>(end - begin) / 50;
  return f;
}

std::vector<Boundary> DissolveFinder::take(bool final) {
  if (final)
    for (size_t scale = 0; scale < kLengths.size(); ++scale)
      while (!contrasts_[scale].empty()) consider_peak(scale, true);
  std::vector<Boundary> result;
  const auto overlaps = [](const Boundary& a, const Boundary& b) {
    return a.range_begin < b.range_end + kApart && b.range_begin < a.range_end + kApart;
  };
  for (;;) {
    std::erase_if(candidates_, [&](const Candidate& c) {
      return c.boundary.range_begin < taken_until_ + kApart;
    });
    if (candidates_.empty()) return result;
    // The best of those that overlap the first one, and so on until it beats all that overlap it.
    size_t best = 0;
    for (size_t i = 1; i < candidates_.size(); ++i)
      if (candidates_[i].boundary.range_begin < candidates_[best].boundary.range_begin) best = i;
    for (bool better = true; better;) {
      better = false;
      for (size_t i = 0; i < candidates_.size(); ++i)
        if (candidates_[i].rating > candidates_[best].rating &&
            overlaps(candidates_[i].boundary, candidates_[best].boundary)) {
          best = i;
          better = true;
        }
    }
    const Boundary boundary = candidates_[best].boundary;
    if (!final && boundary.range_end + kReach > examined_) return result;
    taken_until_ = boundary.range_end;
    result.push_back(boundary);
  }
}

int64_t DissolveFinder::settled_before() const {
  int64_t settled = examined_ - kReach - kLengths.back() / 3;
  for (const Candidate& c : candidates_) settled = std::min(settled, c.boundary.range_begin);
  return std::max(taken_until_, settled);
}

}  // namespace prismvid::vision

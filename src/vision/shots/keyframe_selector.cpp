#include "vision/shots/keyframe_selector.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/image_copy.h"
#include "core/jpeg.h"

namespace prismvid::vision {
namespace {

constexpr float kDifferent =
    0.45f;  // similarity below which a further keyframe shows something new
constexpr float kInTransition = 0.2f;  // factors on the score
constexpr float kGoodEnough = 0.4f;    // of the best score: a further keyframe must not be bad

int luma(const uint8_t* p) {
  return (77 * p[0] + 150 * p[1] + 29 * p[2]) >> 8;
}

/// Mean squared luma difference of neighbours: falls with defocus and motion blur.
float sharpness_of(ImageView rgb) {
  int64_t total = 0;
  for (int y = 0; y + 1 < rgb.height; ++y) {
    const uint8_t* p = rgb.row(y);
    const uint8_t* below = rgb.row(y + 1);
    for (int x = 0; x + 1 < rgb.width; ++x, p += 3, below += 3) {
      const int here = luma(p);
      const int dx = luma(p + 3) - here;
      const int dy = luma(below) - here;
      total += dx * dx + dy * dy;
    }
  }
  const int64_t pixels =
      static_cast<int64_t>(std::max(1, rgb.width - 1)) * std::max(1, rgb.height - 1);
  return static_cast<float>(total) / static_cast<float>(pixels);
}

/// 0 for a picture of one tone, black or blown out, 1 for one of ordinary contrast.
float exposure_of(ImageView rgb) {
  double sum = 0;
  double squares = 0;
  for (int y = 0; y < rgb.height; ++y)
    for (int x = 0; x < rgb.width; ++x) {
      const int v = luma(rgb.row(y) + 3 * x);
      sum += v;
      squares += static_cast<double>(v) * v;
    }
  const double pixels = static_cast<double>(rgb.width) * rgb.height;
  const double mean = sum / pixels;
  const double deviation = std::sqrt(std::max(0.0, squares / pixels - mean * mean));
  const double dark = std::clamp((mean - 8) / 32, 0.0, 1.0);
  const double bright = std::clamp((250 - mean) / 25, 0.0, 1.0);
  return static_cast<float>(dark * bright * std::clamp(deviation / 25, 0.05, 1.0));
}

}  // namespace

void KeyframeSelector::add(int shot, int64_t frame, int64_t pts_us, ImageView rgb) {
  check(rgb.channels == 3 && !rgb.empty(), ErrorCode::kInvalidArgument,
        "a keyframe candidate must be an RGB picture");
  ShotCandidates& candidates = shots_[shot];
  candidates.kept.push_back({frame, pts_us, copy_of(rgb), make_shot_signature(rgb),
                             sharpness_of(rgb), exposure_of(rgb), 0});
  if (candidates.kept.size() > kCandidates) thin(candidates);
}

/// Doubles the spacing until a third of the candidates are gone, keeping the better one of each
/// stretch.
void KeyframeSelector::thin(ShotCandidates& shot) {
  const int64_t start_us = shot.kept.front().pts_us;
  auto quality = [](const Candidate& c) { return c.exposure * std::sqrt(c.sharpness); };
  while (shot.kept.size() > kCandidates * 2 / 3) {
    shot.spacing_us = shot.spacing_us == 0 ? 250'000 : shot.spacing_us * 2;
    std::vector<Candidate> thinned;
    int64_t last_slot = -1;
    for (Candidate& candidate : shot.kept) {
      const int64_t slot = (candidate.pts_us - start_us) / shot.spacing_us;
      if (slot != last_slot)
        thinned.push_back(std::move(candidate));
      else if (quality(candidate) > quality(thinned.back()))
        thinned.back() = std::move(candidate);
      last_slot = slot;
    }
    shot.kept = std::move(thinned);
  }
}

void KeyframeSelector::rate(std::vector<Candidate>& candidates, const SettledShot& settled) {
  float sharpest = 1e-6f;
  for (const Candidate& c : candidates) sharpest = std::max(sharpest, c.sharpness);
  ShotSignature average(candidates.front().signature.size(), 0.0f);
  for (const Candidate& c : candidates)
    for (size_t i = 0; i < average.size(); ++i)
      average[i] += c.signature[i] / static_cast<float>(candidates.size());
  auto in_transition = [&](int64_t pts_us) {
    const auto& begin = settled.shot.transition.range;
    const auto& end = settled.next.range;
    return (begin && begin->contains(pts_us)) || (end && end->contains(pts_us));
  };
  for (Candidate& c : candidates) {
    const float sharp = std::sqrt(c.sharpness / sharpest);
    const float typical = similarity(c.signature, average);
    c.score = c.exposure * sharp * (0.5f + 0.5f * typical) *
              (in_transition(c.pts_us) ? kInTransition : 1.0f);
  }
}

std::vector<size_t> KeyframeSelector::choose(const std::vector<Candidate>& candidates,
                                             const Shot& shot) const {
  std::vector<size_t> by_score(candidates.size());
  for (size_t i = 0; i < by_score.size(); ++i) by_score[i] = i;
  std::stable_sort(by_score.begin(), by_score.end(),
                   [&](size_t a, size_t b) { return candidates[a].score > candidates[b].score; });
  const auto wanted = static_cast<size_t>(std::min<int64_t>(
      options_.max_keyframes, 1 + shot.range.duration_us() / options_.per_keyframe_us));
  const float least = candidates[by_score.front()].score * kGoodEnough;
  std::vector<size_t> chosen{by_score.front()};
  for (const size_t i : by_score) {
    const Candidate& c = candidates[i];
    if (c.score < least) break;
    bool is_new = true;
    bool far_away = true;
    for (const size_t other : chosen) {
      is_new = is_new && similarity(c.signature, candidates[other].signature) < kDifferent;
      far_away =
          far_away && std::abs(c.pts_us - candidates[other].pts_us) >= options_.per_keyframe_us;
    }
    const bool room = chosen.size() < static_cast<size_t>(options_.max_keyframes);
    if (room && (is_new || (far_away && chosen.size() < wanted))) chosen.push_back(i);
  }
  return chosen;
}

ShotKeyframes KeyframeSelector::take(const SettledShot& settled) {
  const auto found = shots_.find(settled.index);
  if (found == shots_.end()) return {};
  std::vector<Candidate> candidates = std::move(found->second.kept);
  shots_.erase(found);
  rate(candidates, settled);
  std::vector<size_t> chosen = choose(candidates, settled.shot);
  ShotKeyframes result;
  result.signature = candidates[chosen.front()].signature;
  std::sort(chosen.begin(), chosen.end());
  for (const size_t i : chosen) {
    const Candidate& c = candidates[i];
    result.keyframes.push_back({c.pts_us, c.frame, std::clamp(c.score, 0.0f, 1.0f),
                                encode_jpeg(c.picture, options_.jpeg_quality)});
  }
  return result;
}

}  // namespace prismvid::vision

#include "vision/shots/marker_detector.h"

#include <cstdlib>
#include <utility>

namespace prismvid::vision {
namespace {

// A pixel of the low-resolution picture is the mean of hundreds, so that noise hardly reaches these
// limits.
constexpr int kBlackLevel = 24;
constexpr double kBlackShare = 0.98;
constexpr double kStillStep = 0.05;  // mean difference to the frame before, in levels
constexpr double kStillDrift =
    0.75;  // mean difference to the first still frame: a new key frame of the codec

std::vector<uint8_t> packed(ImageView picture) {
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(picture.width) * picture.height * picture.channels);
  for (int y = 0; y < picture.height; ++y)
    bytes.insert(bytes.end(), picture.row(y), picture.row(y) + picture.width * picture.channels);
  return bytes;
}

bool is_black(ImageView picture) {
  int dark = 0;
  for (int y = 0; y < picture.height; ++y) {
    const uint8_t* p = picture.row(y);
    for (int x = 0; x < picture.width; ++x, p += 3)
      dark += p[0] < kBlackLevel && p[1] < kBlackLevel && p[2] < kBlackLevel;
  }
  return dark >= kBlackShare * picture.width * picture.height;
}

double mean_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return static_cast<double>(sum) / static_cast<double>(a.size());
}

}  // namespace

void MarkerDetector::add(const ShotFrame& frame) {
  update_black(frame);
  update_freeze(frame);
}

void MarkerDetector::update_black(const ShotFrame& frame) {
  if (!is_black(frame.picture)) return close_black();
  if (!black_) black_ = TimeRange{frame.pts_us, frame.pts_us};
  black_->end_us = frame.pts_us + frame.duration_us;
}

void MarkerDetector::update_freeze(const ShotFrame& frame) {
  std::vector<uint8_t> picture = packed(frame.picture);
  const int64_t end_us = frame.pts_us + frame.duration_us;
  const bool moved =
      previous_.size() != picture.size() || mean_difference(picture, previous_) > kStillStep;
  const bool drifted = moved && freeze_ && mean_difference(picture, reference_) > kStillDrift;
  // One odd frame is the codec's and makes two steps; more steps are motion.
  moved_ = moved ? moved_ + 1 : 0;
  if (!freeze_ || black_ || drifted || moved_ > 2) {
    close_freeze();
    freeze_ = TimeRange{frame.pts_us, end_us};
    reference_ = picture;
  }
  freeze_->end_us = end_us;
  previous_ = std::move(picture);
}

void MarkerDetector::close_black() {
  if (black_ && black_->duration_us() >= kMinBlackUs)
    closed_.push_back({MarkerKind::kBlack, *black_});
  black_.reset();
}

void MarkerDetector::close_freeze() {
  if (freeze_ && freeze_->duration_us() >= kMinFreezeUs)
    closed_.push_back({MarkerKind::kFreeze, *freeze_});
  freeze_.reset();
}

void MarkerDetector::finish() {
  close_black();
  close_freeze();
}

std::vector<Marker> MarkerDetector::take() {
  return std::exchange(closed_, {});
}

}  // namespace prismvid::vision

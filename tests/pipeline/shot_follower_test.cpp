#include "pipeline/shot_follower.h"

#include <gtest/gtest.h>

#include "support/synthetic_source.h"

namespace prismvid::pipeline {
namespace {

/// Cuts every `length` frames and suspects nothing.
class BlindDetector : public vision::ShotDetector {
 public:
  explicit BlindDetector(int64_t length) : length_(length) {}
  Size picture_size() const override { return {64, 36}; }
  void add(const vision::ShotFrame& frame) override {
    if (frame.frame > 0 && frame.frame % length_ == 0) close(frame.pts_us);
    last_end_us_ = frame.pts_us + frame.duration_us;
  }
  bool wants_candidate() const override { return false; }
  void finish() override { close(last_end_us_); }
  int64_t settled_until_us() const override { return start_us_; }
  int shot_index_at(int64_t) const override { return index_; }
  std::vector<vision::SettledShot> take_settled() override { return std::exchange(settled_, {}); }
  std::vector<Marker> take_markers() override { return {}; }

 private:
  void close(int64_t end_us) {
    vision::SettledShot settled;
    settled.index = index_++;
    settled.shot.range = {start_us_, end_us};
    start_us_ = end_us;
    settled_.push_back(settled);
  }

  int64_t length_;
  int64_t start_us_ = 0;
  int64_t last_end_us_ = 0;
  int index_ = 0;
  std::vector<vision::SettledShot> settled_;
};

TEST(LiveShots, EveryShotHasAKeyframeEvenWithoutASampleOrASuspicion) {
  size_t pictures = 0;
  LiveShots shots(std::make_unique<BlindDetector>(3), [&](size_t, std::vector<uint8_t> jpeg) { pictures += !jpeg.empty(); });
  const auto source = tests::make_synthetic_source({.size = {64, 36}, .frames = 12}, [](int64_t frame, Image& picture) {
    std::fill_n(picture.data(), 64 * 36 * 3, static_cast<uint8_t>(20 * frame));
  });
  while (const auto frame = source->next()) {
    shots.add(*frame);
    shots.close_settled();
  }
  shots.finish();
  shots.close_settled();
  ASSERT_EQ(shots.value().shots.size(), 4u);
  EXPECT_EQ(pictures, 4u);
  for (const Shot& shot : shots.value().shots) {
    ASSERT_EQ(shot.keyframes.size(), 1u);
    EXPECT_GE(shot.keyframes[0].pts_us, shot.range.start_us);
    EXPECT_LT(shot.keyframes[0].pts_us, shot.range.end_us);
  }
}

}  // namespace
}  // namespace prismvid::pipeline

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vision/shots/clip.h"
#include "vision/shots/shot_detector.h"

namespace prismvid::vision {
namespace {

class MarkerTest : public ::testing::Test {
 protected:
  std::vector<Marker> markers(const Clip& clip) {
    clip.detect(*detector_);
    return detector_->take_markers();
  }
  Picture pan(uint32_t seed) {
    return [this, seed](int n) {
      return textured(detector_->picture_size(), seed, 0.01f * static_cast<float>(n));
    };
  }
  Picture still(uint32_t seed) {
    return [this, seed](int) { return textured(detector_->picture_size(), seed); };
  }
  Picture black() {
    return [this](int n) {
      return plain(detector_->picture_size(), static_cast<uint8_t>(n % 3), 1, 2);
    };
  }

  std::unique_ptr<ShotDetector> detector_ = make_shot_detector();
};

TEST_F(MarkerTest, BlackStretchIsMarkedExactly) {
  Clip clip;
  clip.append(30, pan(1));
  clip.append(100, black());
  clip.append(30, pan(2));
  const auto found = markers(clip);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, MarkerKind::kBlack);
  EXPECT_EQ(found[0].range, (TimeRange{clip.pts_us(30), clip.pts_us(130)}));
}

TEST_F(MarkerTest, BlackBelowTheMinimumIsNotMarked) {
  Clip clip;
  clip.append(30, pan(1));
  clip.append(4, black());
  clip.append(30, pan(2));
  EXPECT_TRUE(markers(clip).empty());
}

TEST_F(MarkerTest, FrozenPictureIsMarkedAlsoWhenTheCodecRefreshesIt) {
  Clip clip;
  clip.append(30, pan(1));
  const int begin = clip.size();
  clip.append(75, still(2));
  clip.append(30, pan(3));
  clip[begin + 40].data()[100] ^= 8;
  for (int i = 0; i < 600; ++i) clip[begin + 50].data()[i * 5] ^= 1;
  const auto found = markers(clip);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, MarkerKind::kFreeze);
  EXPECT_EQ(found[0].range, (TimeRange{clip.pts_us(begin), clip.pts_us(begin + 75)}));
}

TEST_F(MarkerTest, SlowMotionIsNoFreeze) {
  Clip clip;
  clip.append(100, [&](int n) {
    return textured(detector_->picture_size(), 4, 0.001f * static_cast<float>(n));
  });
  EXPECT_TRUE(markers(clip).empty());
}

}  // namespace
}  // namespace prismvid::vision

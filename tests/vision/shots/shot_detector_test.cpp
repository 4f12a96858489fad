#include "vision/shots/shot_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "vision/shots/clip.h"

namespace prismvid::vision {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ShotDetectorTest : public ::testing::Test {
 protected:
  Image scene(uint32_t seed, float x = 0, float y = 0, float zoom = 1) const {
    return textured(detector_->picture_size(), seed, x, y, zoom);
  }
  Picture slow_pan(uint32_t seed) const {
    return [this, seed](int n) { return scene(seed, 0.004f * static_cast<float>(n)); };
  }
  Picture slower_pan(uint32_t seed) const {
    return [this, seed](int n) { return scene(seed, 0.0015f * static_cast<float>(n)); };
  }
  std::vector<int64_t> found(const Clip& clip) { return boundaries(clip.detect(*detector_)); }

  std::unique_ptr<ShotDetector> detector_ = make_shot_detector();
};

TEST_F(ShotDetectorTest, NoFrameGivesNoShot) {
  detector_->finish();
  EXPECT_THAT(detector_->take_settled(), IsEmpty());
}

TEST_F(ShotDetectorTest, OneFrameIsOneShot) {
  Clip clip;
  clip.append(1, slow_pan(1));
  const auto shots = clip.detect(*detector_);
  ASSERT_EQ(shots.size(), 1u);
  EXPECT_EQ(shots[0].shot.transition.kind, TransitionKind::kStart);
}

TEST_F(ShotDetectorTest, CutsAreExactToTheFrame) {
  Clip clip({24000, 1001});
  clip.append(40, slow_pan(1));
  clip.append(3, slow_pan(2));
  clip.append(17, slow_pan(3));
  clip.append(60, slow_pan(4));
  const auto shots = clip.detect(*detector_);
  EXPECT_THAT(boundaries(shots), ElementsAre(40, 43, 60));
  EXPECT_EQ(shots[1].shot.transition.kind, TransitionKind::kCut);
  EXPECT_FALSE(shots[1].shot.transition.range.has_value());
}

TEST_F(ShotDetectorTest, FirstFrameOfAShotIsWantedAsCandidate) {
  Clip clip;
  clip.append(20, slow_pan(1));
  clip.append(3, slow_pan(2));
  clip.append(20, slow_pan(3));
  std::vector<int> wanted;
  for (int n = 0; n < clip.size(); ++n) {
    detector_->add({n, clip.pts_us(n), 40'000, clip[n]});
    if (detector_->wants_candidate()) wanted.push_back(n);
  }
  EXPECT_THAT(wanted, ::testing::IsSupersetOf({0, 20, 23}));
  EXPECT_LT(wanted.size(), 8u);
}

TEST_F(ShotDetectorTest, PanIsNoCut) {
  Clip clip;
  clip.append(80, [&](int n) { return scene(5, 0.06f * static_cast<float>(n)); });
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, CameraFlashIsNoCut) {
  for (int length = 1; length <= 3; ++length) {
    detector_ = make_shot_detector();
    Clip clip;
    clip.append(60, slow_pan(6));
    for (int n = 30; n < 30 + length; ++n) clip[n] = graded(clip[n], 1.0f, 190.0f);
    EXPECT_THAT(found(clip), IsEmpty()) << length;
  }
}

TEST_F(ShotDetectorTest, StrobeIsNoCut) {
  Clip clip({60, 1});
  clip.append(120, slow_pan(7));
  for (int n = 40; n < 80; n += 4) clip[n] = graded(clip[n], 1.0f, 200.0f);
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, ZoomIsNoCut) {
  Clip clip;
  clip.append(100, [&](int n) { return scene(8, 0, 0, 1 + 0.02f * static_cast<float>(n)); });
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, NoiseIsNoCut) {
  Clip clip;
  clip.append(80, [&](int n) {
    return blend(slow_pan(9)(n), scene(1000 + static_cast<uint32_t>(n)), 0.12f);
  });
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, LightSwitchedOnIsNoCut) {
  Clip clip;
  clip.append(40, [&](int n) { return graded(slow_pan(10)(n), 0.5f, 0); });
  clip.append(40, [&](int n) { return slow_pan(10)(n + 40); });
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, FastThingCrossingThePictureIsNoCut) {
  Clip clip;
  clip.append(80, [&](int n) {
    Image picture = slow_pan(11)(n);
    const Image thing = scene(12);
    for (int y = 8; y < 28; ++y)
      for (int x = 0; x < 16; ++x)
        std::copy_n(thing.row(y) + x * 3, 3, picture.row(y) + (x + n * 5) % picture.width() * 3);
    return picture;
  });
  EXPECT_THAT(found(clip), IsEmpty());
}

/// The one gradual transition of a clip must have the kind and cover [begin, end) give or take
/// `slack` frames.
void expect_gradual(const std::vector<SettledShot>& shots, const Clip& clip, TransitionKind kind,
                    int begin, int end, int slack) {
  ASSERT_EQ(shots.size(), 2u) << begin << "-" << end;
  const Transition& transition = shots[1].shot.transition;
  EXPECT_EQ(transition.kind, kind);
  ASSERT_TRUE(transition.range.has_value());
  const int64_t frame_us = clip.pts_us(1);
  EXPECT_NEAR(transition.range->start_us, clip.pts_us(begin), slack * frame_us);
  EXPECT_NEAR(transition.range->end_us, clip.pts_us(end), slack * frame_us);
  EXPECT_NEAR(shots[1].shot.frame_start, (begin + end) / 2, slack + 1);
  EXPECT_EQ(shots[0].next.kind, kind);
}

TEST_F(ShotDetectorTest, CaptionOnAPlainPictureIsNoTransition) {
  Clip clip;
  clip.append(80, [this](int n) {
    Image picture(detector_->picture_size().width, detector_->picture_size().height, 3);
    for (int i = 0; i < picture.width() * picture.height(); ++i) picture.data()[3 * i + 2] = 70;
    const int shown = std::clamp(n - 12, 0, 6);  // it fades in within six frames
    for (int y = 30; y < 33; ++y)
      for (int x = 22; x < 42; ++x)
        for (int c = 0; c < 3; ++c)
          picture.row(y)[3 * x + c] = static_cast<uint8_t>((x % 3 == 0 ? 40 : 20) * shown);
    return picture;
  });
  EXPECT_THAT(found(clip), IsEmpty());
}

TEST_F(ShotDetectorTest, DissolvesOfFiveToFiftyFramesAreRanges) {
  for (const int length : {5, 12, 25, 50}) {
    detector_ = make_shot_detector();
    Clip clip;
    clip.append(40, slower_pan(20));
    clip.dissolve(
        length, [&](int n) { return slower_pan(20)(40 + n); }, slower_pan(21));
    clip.append(60, [&](int n) { return slower_pan(21)(length + n); });
    expect_gradual(clip.detect(*detector_), clip, TransitionKind::kDissolve, 40, 40 + length,
                   2 + length / 8);
  }
}

TEST_F(ShotDetectorTest, FadesThroughBlackAreRanges) {
  for (const int length : {6, 15, 24}) {
    detector_ = make_shot_detector();
    Clip clip({24000, 1001});
    const float step = 1.0f / static_cast<float>(length + 1);
    clip.append(40, slow_pan(22));
    clip.append(length, [&](int n) {
      return graded(slow_pan(22)(40), 1 - step * static_cast<float>(n + 1), 0);
    });
    clip.append(2, [&](int) { return plain(detector_->picture_size(), 0, 0, 0); });
    clip.append(length, [&](int n) {
      return graded(slow_pan(23)(0), step * static_cast<float>(n + 1), 0);
    });
    clip.append(60, slow_pan(23));
    expect_gradual(clip.detect(*detector_), clip, TransitionKind::kFade, 40, 42 + 2 * length, 2);
  }
}

TEST_F(ShotDetectorTest, ALongBlackStretchIsAShotBetweenTwoFades) {
  Clip clip;
  clip.append(40, slow_pan(24));
  clip.append(10, [&](int n) {
    return graded(slow_pan(24)(40), 1 - 0.09f * static_cast<float>(n + 1), 0);
  });
  clip.append(80, [&](int) { return plain(detector_->picture_size(), 0, 0, 0); });
  clip.append(10,
              [&](int n) { return graded(slow_pan(25)(0), 0.09f * static_cast<float>(n + 1), 0); });
  clip.append(60, slow_pan(25));
  const auto shots = clip.detect(*detector_);
  ASSERT_EQ(shots.size(), 3u);
  EXPECT_EQ(shots[1].shot.transition.kind, TransitionKind::kFade);
  EXPECT_EQ(shots[2].shot.transition.kind, TransitionKind::kFade);
}

TEST_F(ShotDetectorTest, VariableFrameRateKeepsTheTimesOfTheFrames) {
  Clip clip;
  clip.append(30, slow_pan(26));
  clip.append(30, slow_pan(27));
  const auto pts_us = [](int n) { return 40'000LL * n + (n % 3) * 9'000 + (n > 20 ? 700'000 : 0); };
  for (int n = 0; n < clip.size(); ++n)
    detector_->add({n, pts_us(n), pts_us(n + 1) - pts_us(n), clip[n]});
  detector_->finish();
  const auto shots = detector_->take_settled();
  ASSERT_EQ(shots.size(), 2u);
  EXPECT_EQ(shots[1].shot.range, (TimeRange{pts_us(30), pts_us(60)}));
}

TEST_F(ShotDetectorTest, MotionIsHigherInTheShotThatMovesMore) {
  Clip clip;
  clip.append(40, slow_pan(28));
  clip.append(40, [&](int n) { return scene(29, 0.05f * static_cast<float>(n)); });
  const auto shots = clip.detect(*detector_);
  ASSERT_EQ(shots.size(), 2u);
  EXPECT_GT(shots[1].shot.motion, 2 * shots[0].shot.motion);
  EXPECT_LE(shots[1].shot.motion, 1.0f);
  EXPECT_GT(shots[1].shot.confidence, 0.5f);
}

TEST_F(ShotDetectorTest, RefusesAPictureOfAnotherSize) {
  const Image picture(10, 10, 3);
  EXPECT_THROW(detector_->add({0, 0, 40'000, picture}), Error);
}

TEST_F(ShotDetectorTest, RefusesTimeThatDoesNotIncrease) {
  const Image picture = scene(1);
  detector_->add({0, 40'000, 40'000, picture});
  EXPECT_THROW(detector_->add({1, 40'000, 40'000, picture}), Error);
}

}  // namespace
}  // namespace prismvid::vision

#include "vision/shots/keyframe_selector.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/jpeg.h"
#include "vision/shots/clip.h"

namespace prismvid::vision {
namespace {

constexpr Size kPicture{160, 90};

SettledShot shot_of(int index, int64_t start_us, int64_t end_us) {
  SettledShot settled;
  settled.index = index;
  settled.shot.range = {start_us, end_us};
  return settled;
}

Image blurred(const Image& image) {
  Image out = image;
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x)
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        int count = 0;
        for (int u = std::max(0, x - 6); u <= std::min(image.width() - 1, x + 6); ++u, ++count)
          sum += image.row(y)[u * 3 + c];
        out.row(y)[x * 3 + c] = static_cast<uint8_t>(sum / count);
      }
  return out;
}

TEST(KeyframeSelector, AShotOfOneCandidateGetsItAsKeyframe) {
  KeyframeSelector selector;
  selector.add(0, 7, 280'000, plain(kPicture, 0, 0, 0));
  const ShotKeyframes result = selector.take(shot_of(0, 280'000, 400'000));
  ASSERT_EQ(result.keyframes.size(), 1u);
  EXPECT_EQ(result.keyframes[0].frame, 7);
  EXPECT_EQ(result.keyframes[0].pts_us, 280'000);
  const Image decoded = decode_jpeg(result.keyframes[0].jpeg);
  EXPECT_EQ(decoded.size(), kPicture);
}

TEST(KeyframeSelector, PrefersSharpOverBlurredAndBlack) {
  KeyframeSelector selector;
  const Image sharp = textured(kPicture, 1);
  selector.add(0, 0, 0, plain(kPicture, 3, 3, 3));
  selector.add(0, 12, 500'000, blurred(sharp));
  selector.add(0, 25, 1'000'000, sharp);
  selector.add(0, 37, 1'500'000, blurred(sharp));
  const ShotKeyframes result = selector.take(shot_of(0, 0, 2'000'000));
  ASSERT_EQ(result.keyframes.size(), 1u);
  EXPECT_EQ(result.keyframes[0].frame, 25);
  EXPECT_GT(result.keyframes[0].score, 0.5f);
  EXPECT_LE(result.keyframes[0].score, 1.0f);
}

TEST(KeyframeSelector, AvoidsTransitionsAtBothEnds) {
  KeyframeSelector selector;
  const Image picture = textured(kPicture, 1);
  for (int n = 0; n < 4; ++n)
    selector.add(3, n * 12, n * 500'000,
                 n == 2 ? blend(picture, plain(kPicture, 128, 128, 128), 0.2f) : picture);
  SettledShot settled = shot_of(3, 0, 2'000'000);
  settled.shot.transition = {TransitionKind::kDissolve, TimeRange{-400'000, 600'000}};
  settled.next = {TransitionKind::kFade, TimeRange{1'400'000, 2'600'000}};
  const ShotKeyframes result = selector.take(settled);
  ASSERT_EQ(result.keyframes.size(), 1u);
  EXPECT_EQ(result.keyframes[0].frame, 24);
}

TEST(KeyframeSelector, AShotThatChangesGetsOneKeyframeForEachLook) {
  KeyframeSelector selector;
  for (int n = 0; n < 12; ++n)
    selector.add(0, n * 12, n * 500'000,
                 blend(plain(kPicture, n < 6 ? 200 : 20, 60, 90), textured(kPicture, 2), 0.3f));
  const ShotKeyframes result = selector.take(shot_of(0, 0, 6'000'000));
  ASSERT_EQ(result.keyframes.size(), 2u);
  EXPECT_LT(result.keyframes[0].pts_us, 3'000'000);
  EXPECT_GE(result.keyframes[1].pts_us, 3'000'000);
}

TEST(KeyframeSelector, ALongShotGetsSeveralSpreadOverItsTime) {
  KeyframeSelector selector;
  const Image picture = textured(kPicture, 1);
  constexpr int64_t kTwoHours = 7'200'000'000;
  for (int64_t pts = 0; pts < kTwoHours; pts += 10'000'000)
    selector.add(0, pts / 40'000, pts, picture);
  const ShotKeyframes result = selector.take(shot_of(0, 0, kTwoHours));
  EXPECT_EQ(result.keyframes.size(), static_cast<size_t>(KeyframeOptions{}.max_keyframes));
  EXPECT_LT(result.keyframes.front().pts_us, kTwoHours / 4);
  EXPECT_GT(result.keyframes.back().pts_us, kTwoHours * 3 / 4);
}

TEST(KeyframeSelector, ShotsDoNotMix) {
  KeyframeSelector selector;
  selector.add(0, 0, 0, textured(kPicture, 1));
  selector.add(1, 10, 400'000, textured(kPicture, 2));
  EXPECT_EQ(selector.take(shot_of(0, 0, 400'000)).keyframes.at(0).frame, 0);
  EXPECT_EQ(selector.take(shot_of(1, 400'000, 800'000)).keyframes.at(0).frame, 10);
  EXPECT_TRUE(selector.take(shot_of(2, 800'000, 900'000)).keyframes.empty());
}

TEST(KeyframeSelector, RefusesLuma) {
  KeyframeSelector selector;
  EXPECT_THROW(selector.add(0, 0, 0, Image(8, 8, 1)), Error);
}

}  // namespace
}  // namespace prismvid::vision

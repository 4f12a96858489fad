#include "vision/shots/picture_mixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vision/shots/clip.h"

namespace prismvid::vision {
namespace {

constexpr Size kPicture{FrameSignature::kWidth, FrameSignature::kHeight};

/// The definition: every ramp tried.
Ramp slow_fit(const std::vector<float>& values) {
  Ramp best;
  const int count = static_cast<int>(values.size());
  for (int begin = 0; begin < count; ++begin)
    for (int end = begin; end <= count; ++end)
      if (const float error = ramp_error(values, begin, end); error < best.error)
        best = {begin, end, error};
  return best;
}

TEST(FitRamp, EqualsTheDefinition) {
  for (int seed = 1; seed < 20; ++seed) {
    std::vector<float> values;
    for (int i = 0; i < 3 + 2 * seed; ++i) {
      const float wobble = 0.1f * std::sin(static_cast<float>(i * seed) * 1.7f);
      values.push_back(
          std::clamp(static_cast<float>(i - seed / 2) / static_cast<float>(seed), 0.0f, 1.0f) +
          wobble);
    }
    const Ramp fast = fit_ramp(values);
    EXPECT_NEAR(fast.error, slow_fit(values).error, 1e-5f) << seed;
  }
}

TEST(FitRamp, FindsAnExactRamp) {
  const std::vector<float> values{0, 0, 0, 0.25f, 0.5f, 0.75f, 1, 1};
  const Ramp ramp = fit_ramp(values);
  EXPECT_EQ(ramp.begin, 3);
  EXPECT_EQ(ramp.end, 6);
  EXPECT_NEAR(ramp.error, 0, 1e-5f);
}

TEST(PictureMixture, TellsTheShareOfTheSecondPicture) {
  const Image from = textured(kPicture, 1);
  const Image to = textured(kPicture, 2);
  const FrameSignature a = make_signature(from);
  const FrameSignature b = make_signature(to);
  const PictureMixture mixture(a, b);
  for (const float share : {0.0f, 0.25f, 0.5f, 0.75f, 1.0f}) {
    const FrameSignature between = make_signature(blend(from, to, share));
    EXPECT_NEAR(mixture.explain(between).share, share, 0.02f);
    EXPECT_GT(mixture.explain(between).explained, 0.98f);
    EXPECT_LT(mixture.misfit(between), 0.05f);
  }
  EXPECT_GT(mixture.misfit(make_signature(textured(kPicture, 3))), 1.0f);
}

TEST(StructureDistance, IsBlindToMotionAndLightButNotToAnotherScene) {
  const FrameSignature here = make_signature(textured(kPicture, 1));
  EXPECT_LT(structure_distance(here, here), 0.01f);
  EXPECT_LT(structure_distance(here, make_signature(textured(kPicture, 1, 0.06f))), 0.2f);
  EXPECT_LT(structure_distance(here, make_signature(graded(textured(kPicture, 1), 0.6f, 20))),
            0.1f);
  EXPECT_GT(structure_distance(here, make_signature(textured(kPicture, 2))), 0.4f);
}

/// The middle of a picture between black bars at its sides.
Image pillarboxed(Image picture, int bar) {
  for (int y = 0; y < picture.height(); ++y) {
    std::fill_n(picture.row(y), bar * 3, 16);
    std::fill_n(picture.row(y) + (picture.width() - bar) * 3, bar * 3, 16);
  }
  return picture;
}

TEST(StructureDistance, BlackBarsDoNotMakeScenesAlike) {
  const Image here = textured(kPicture, 1);
  const Image there = textured(kPicture, 2);
  const float whole = structure_distance(make_signature(here), make_signature(there));
  const float barred = structure_distance(make_signature(pillarboxed(here, 9)),
                                          make_signature(pillarboxed(there, 9)));
  EXPECT_GT(barred, 0.9f * whole);
}

}  // namespace
}  // namespace prismvid::vision

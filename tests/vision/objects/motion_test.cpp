#include "vision/objects/motion.h"

#include <gtest/gtest.h>

namespace prismvid::vision {
namespace {

Box at(float x, float y, float width = 0.1f, float height = 0.2f) {
  return {x - width / 2, y - height / 2, x + width / 2, y + height / 2};
}

void expect_near(const Box& a, const Box& b, float tolerance) {
  EXPECT_NEAR(a.x0, b.x0, tolerance);
  EXPECT_NEAR(a.y0, b.y0, tolerance);
  EXPECT_NEAR(a.x1, b.x1, tolerance);
  EXPECT_NEAR(a.y1, b.y1, tolerance);
}

TEST(BoxMotion, StandsStillBeforeItHasSeenMotion) {
  BoxMotion motion(at(0.3f, 0.4f));
  motion.predict(2.0);
  expect_near(motion.box(), at(0.3f, 0.4f), 1e-6f);
}

TEST(BoxMotion, LearnsTheVelocityFromSamplesAtAnyDistance) {
  BoxMotion motion(at(0.1f, 0.5f));
  float t = 0;
  for (const float step : {0.5f, 0.25f, 1.0f, 0.5f, 0.1f, 0.4f}) {
    t += step;
    motion.predict(step);
    motion.correct(at(0.1f + 0.2f * t, 0.5f));
  }
  motion.predict(0.5);
  expect_near(motion.box(), at(0.1f + 0.2f * (t + 0.5f), 0.5f), 0.01f);
}

TEST(BoxMotion, OneLongPredictionEqualsManyShortOnes) {
  BoxMotion once(at(0.1f, 0.5f));
  once.predict(0.5);
  once.correct(at(0.3f, 0.5f));
  BoxMotion often = once;
  once.predict(1.0);
  for (int i = 0; i < 10; ++i) often.predict(0.1);
  expect_near(once.box(), often.box(), 1e-5f);
  // The uncertainty is the same too: the next look moves both alike.
  once.correct(at(0.45f, 0.6f));
  often.correct(at(0.45f, 0.6f));
  expect_near(once.box(), often.box(), 1e-5f);
}

TEST(BoxMotion, KeepsItsSizeWhenGrowthIsStopped) {
  BoxMotion motion(at(0.5f, 0.5f, 0.1f, 0.2f));
  motion.predict(0.5);
  motion.correct(at(0.5f, 0.5f, 0.15f, 0.3f));
  motion.stop_growth();
  const Box before = motion.box();
  motion.predict(1.0);
  EXPECT_NEAR(motion.box().height(), before.height(), 1e-5f);
}

TEST(BoxMotion, SurvivesABoxWithoutArea) {
  BoxMotion motion(Box{0.5f, 0.5f, 0.5f, 0.5f});
  motion.predict(0.5);
  motion.correct(at(0.6f, 0.6f));
  EXPECT_TRUE(motion.box().width() >= 0 && motion.box().height() >= 0);
}

}  // namespace
}  // namespace prismvid::vision

#include "vision/labels/aggregate.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace prismvid::vision {
namespace {

Shot shot(int64_t start_us, int64_t end_us) {
  Shot result;
  result.range = {start_us, end_us};
  return result;
}

const std::vector<Shot> kShots = {shot(0, 100), shot(100, 400), shot(400, 500)};
const std::vector<KeyframeLabels> kKeyframes = {{10, {{"cat", 0.8f}, {"sofa", 0.2f}}},
                                                {60, {{"cat", 0.6f}}},
                                                {150, {{"sofa", 0.6f}, {"lamp", 0.02f}}}};

TEST(LabelAggregation, AShotHasTheMeanOfItsKeyframes) {
  const auto labels = labels_of_shots(kKeyframes, kShots);
  ASSERT_EQ(labels.size(), 3u);
  ASSERT_EQ(labels[0].size(), 1u);  // sofa: (0.2 + 0) / 2 is under the threshold
  EXPECT_EQ(labels[0][0].name, "cat");
  EXPECT_NEAR(labels[0][0].confidence, 0.7f, 1e-6);
  EXPECT_EQ(labels[1][0].name, "sofa");
  EXPECT_TRUE(labels[2].empty());
}

TEST(LabelAggregation, ASceneWeighsItsShotsByDuration) {
  const std::vector<Scene> scenes = {{0, 1}, {2, 2}};
  const auto labels = labels_of_scenes(kKeyframes, kShots, scenes);
  ASSERT_EQ(labels.size(), 2u);
  ASSERT_EQ(labels[0].size(), 2u);
  EXPECT_EQ(labels[0][0].name, "sofa");
  EXPECT_NEAR(labels[0][0].confidence, (0.1 * 100 + 0.6 * 300) / 400, 1e-6);
  EXPECT_NEAR(labels[0][1].confidence, 0.7 * 100 / 400, 1e-6);
  EXPECT_TRUE(labels[1].empty());
}

TEST(LabelAggregation, KeepsTheListShort) {
  std::vector<KeyframeLabels> many = {{10, {}}};
  for (int i = 0; i < 9; ++i) many[0].labels.push_back({std::to_string(i), 0.2f + 0.01f * i});
  const auto labels = labels_of_shots(many, kShots, {.least_confidence = 0.1f, .most = 3});
  ASSERT_EQ(labels[0].size(), 3u);
  EXPECT_EQ(labels[0][0].name, "8");
}

TEST(LabelAggregation, RefusesASceneOfShotsThatDoNotExist) {
  const std::vector<Scene> scenes = {{0, 3}};
  EXPECT_THROW(labels_of_scenes(kKeyframes, kShots, scenes), Error);
}

}  // namespace
}  // namespace prismvid::vision

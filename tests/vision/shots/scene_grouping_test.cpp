#include "vision/shots/scene_grouping.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "vision/shots/clip.h"

namespace prismvid::vision {
namespace {

constexpr int64_t kShotUs = 4'000'000;

/// One shot of 4 s for each letter: equal letters are the same place. Returns "first-last" of each
/// scene.
std::string scenes_of(const std::string& places, int64_t shot_us = kShotUs) {
  std::vector<Shot> shots;
  std::vector<ShotSignature> signatures;
  for (size_t i = 0; i < places.size(); ++i) {
    Shot shot;
    shot.range = {static_cast<int64_t>(i) * shot_us, static_cast<int64_t>(i + 1) * shot_us};
    shots.push_back(shot);
    const auto place = static_cast<uint8_t>(places[i] - 'a');
    const Image base = plain({64, 36}, static_cast<uint8_t>(40 * place),
                             static_cast<uint8_t>(250 - 40 * place), 90);
    signatures.push_back(
        make_shot_signature(blend(base, textured({64, 36}, static_cast<uint32_t>(i)), 0.1f)));
  }
  std::string result;
  for (const Scene& scene : group_scenes(shots, signatures))
    result += std::to_string(scene.first_shot) + "-" + std::to_string(scene.last_shot) + " ";
  return result;
}

TEST(SceneGrouping, ShotAndReverseShotAreOneScene) {
  EXPECT_EQ(scenes_of("abababcdcd"), "0-5 6-9 ");
}

TEST(SceneGrouping, ShotsBetweenLookAlikesBelongToTheScene) {
  EXPECT_EQ(scenes_of("abcade"), "0-3 4-4 5-5 ");
}

TEST(SceneGrouping, APlaceSeenAgainMuchLaterIsANewScene) {
  EXPECT_EQ(scenes_of("aba", 70'000'000), "0-0 1-1 2-2 ");
}

TEST(SceneGrouping, NoShotGivesNoScene) {
  EXPECT_EQ(scenes_of(""), "");
}

TEST(SceneGrouping, RefusesUnequalLengths) {
  const std::vector<Shot> shots(2);
  const std::vector<ShotSignature> signatures(1);
  EXPECT_THROW(group_scenes(shots, signatures), Error);
}

}  // namespace
}  // namespace prismvid::vision

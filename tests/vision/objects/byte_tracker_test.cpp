#include "vision/objects/byte_tracker.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace prismvid::vision {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr int64_t kHalfSecond = 500'000;

Detection seen(float x, float y, float score = 0.9f, int class_id = 0, float side = 0.1f) {
  return {{x - side / 2, y - side / 2, x + side / 2, y + side / 2}, score, class_id};
}

using Detections = std::vector<Detection>;

TEST(ByteTracker, FollowsOneObjectUnderOneId) {
  ByteTracker tracker;
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT(tracker.update(i * kHalfSecond, Detections{seen(0.1f + 0.02f * i, 0.5f)}),
                ElementsAre(0));
}

TEST(ByteTracker, StartsNoTrackOnAWeakDetection) {
  ByteTracker tracker;
  EXPECT_THAT(tracker.update(0, Detections{seen(0.5f, 0.5f, 0.55f), seen(0.2f, 0.2f, 0.3f)}),
              ElementsAre(kNoTrack, kNoTrack));
  EXPECT_EQ(tracker.live(), 0u);
}

TEST(ByteTracker, KeepsTheIdThroughLowScoresOfAHalfHiddenObject) {
  ByteTracker tracker;
  tracker.update(0, Detections{seen(0.5f, 0.5f)});
  for (int i = 1; i < 6; ++i)
    EXPECT_THAT(tracker.update(i * kHalfSecond, Detections{seen(0.5f, 0.5f, 0.2f)}),
                ElementsAre(0));
  EXPECT_THAT(tracker.update(6 * kHalfSecond, Detections{seen(0.5f, 0.5f, 0.9f)}), ElementsAre(0));
}

TEST(ByteTracker, IgnoresDetectionsUnderTheLowScore) {
  ByteTracker tracker;
  tracker.update(0, Detections{seen(0.5f, 0.5f)});
  EXPECT_THAT(tracker.update(kHalfSecond, Detections{seen(0.5f, 0.5f, 0.05f)}),
              ElementsAre(kNoTrack));
}

TEST(ByteTracker, CrossingObjectsKeepTheirIds) {
  ByteTracker tracker;
  // Two objects on slightly different heights walk through each other, ten samples a second.
  for (int i = 0; i <= 20; ++i) {
    const float x = 0.1f + 0.04f * i;
    const auto ids = tracker.update(i * 100'000, Detections{seen(x, 0.5f), seen(1 - x, 0.53f)});
    EXPECT_THAT(ids, ElementsAre(0, 1)) << "sample " << i;
  }
}

TEST(ByteTracker, FindsAnObjectAgainAfterItWasHidden) {
  ByteTracker tracker;
  int64_t t = 0;
  for (int i = 0; i < 5; ++i, t += 200'000)
    tracker.update(t, Detections{seen(0.1f + 0.02f * i, 0.5f)});
  for (int i = 5; i < 10; ++i, t += 200'000) tracker.update(t, Detections{});
  EXPECT_THAT(tracker.update(t, Detections{seen(0.1f + 0.02f * 10, 0.5f)}), ElementsAre(0));
}

TEST(ByteTracker, EndsATrackAfterTheLostTimeWhateverTheNumberOfSamples) {
  for (const int64_t step : {100'000, 500'000, 1'000'000}) {
    ByteTracker tracker;
    tracker.update(0, Detections{seen(0.5f, 0.5f)});
    for (int64_t t = step; t <= 2'000'000; t += step) tracker.update(t, Detections{});
    EXPECT_EQ(tracker.live(), 1u) << step;
    tracker.update(2'000'000 + step, Detections{});
    EXPECT_EQ(tracker.live(), 0u) << step;
    EXPECT_THAT(tracker.take_ended(), ElementsAre(0));
    EXPECT_THAT(tracker.take_ended(), ElementsAre());
  }
}

TEST(ByteTracker, PredictsOverUnevenGaps) {
  ByteTrackOptions options;
  options.lost_us = 3'000'000;
  ByteTracker tracker(options);
  // 0.2 of the picture a second; after 1.5 s unseen the boxes do not overlap any more without
  // prediction.
  for (int i = 0; i <= 10; ++i)
    tracker.update(i * 100'000, Detections{seen(0.1f + 0.02f * i, 0.5f)});
  EXPECT_THAT(tracker.update(2'500'000, Detections{seen(0.6f, 0.5f)}), ElementsAre(0));
}

TEST(ByteTracker, NeverMixesClasses) {
  ByteTracker tracker;
  tracker.update(0, Detections{seen(0.5f, 0.5f, 0.9f, 3)});
  EXPECT_THAT(tracker.update(kHalfSecond, Detections{seen(0.5f, 0.5f, 0.9f, 4)}), ElementsAre(1));
  EXPECT_EQ(tracker.live(), 2u);
}

TEST(ByteTracker, PrefersTheSureDetectionOverTheWeakOne) {
  ByteTracker tracker;
  tracker.update(0, Detections{seen(0.5f, 0.5f)});
  EXPECT_THAT(
      tracker.update(kHalfSecond, Detections{seen(0.5f, 0.5f, 0.3f), seen(0.52f, 0.5f, 0.9f)}),
      ElementsAre(kNoTrack, 0));
}

TEST(ByteTracker, EndAllStartsNewIds) {
  ByteTracker tracker;
  tracker.update(0, Detections{seen(0.5f, 0.5f), seen(0.2f, 0.2f)});
  tracker.end_all();
  EXPECT_THAT(tracker.take_ended(), UnorderedElementsAre(0, 1));
  EXPECT_THAT(tracker.update(0, Detections{seen(0.5f, 0.5f)}), ElementsAre(2));
}

TEST(ByteTracker, AMarginHelpsFastObjectsAtFewSamples) {
  ByteTrackOptions options;
  options.margin = 0.3f;
  ByteTracker with(options);
  ByteTracker without;
  for (ByteTracker* tracker : {&with, &without}) tracker->update(0, Detections{seen(0.5f, 0.5f)});
  EXPECT_THAT(with.update(kHalfSecond, Detections{seen(0.59f, 0.5f)}), ElementsAre(0));
  EXPECT_THAT(without.update(kHalfSecond, Detections{seen(0.59f, 0.5f)}), ElementsAre(1));
}

TEST(ByteTracker, RefusesTimeThatGoesBackAndScoresThatDoNotRise) {
  ByteTracker tracker;
  tracker.update(1'000'000, Detections{seen(0.5f, 0.5f)});
  EXPECT_THROW(tracker.update(1'000'000, Detections{}), Error);
  ByteTrackOptions options;
  options.low_score = 0.7f;
  EXPECT_THROW(ByteTracker{options}, Error);
}

}  // namespace
}  // namespace prismvid::vision

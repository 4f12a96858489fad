#include "vision/objects/object_tracker.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/jpeg.h"

namespace prismvid::vision {
namespace {

Detection seen(float x, float y, float side, float score = 0.9f, int class_id = 0) {
  return {{x - side / 2, y - side / 2, x + side / 2, y + side / 2}, score, class_id};
}

class ObjectTrackerTest : public ::testing::Test {
 protected:
  void sample(int64_t pts_us, int shot, const std::vector<Detection>& detections) {
    tracker_.update({pts_us / 40'000, pts_us, shot, picture_.view()}, detections);
  }

  Image picture_{640, 360, 3};
  ObjectTracker tracker_{{"person", "dog"}};
};

TEST_F(ObjectTrackerTest, GivesATrackWithItsPointsAndItsBestPicture) {
  sample(0, 0, {seen(0.5f, 0.5f, 0.2f, 0.7f, 1)});
  sample(500'000, 0, {seen(0.5f, 0.5f, 0.24f, 0.9f, 1)});
  sample(1'000'000, 0, {seen(0.5f, 0.5f, 0.2f, 0.8f, 1)});
  EXPECT_TRUE(tracker_.take_finished().empty());
  tracker_.finish();
  const auto tracks = tracker_.take_finished();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].label, "dog");
  ASSERT_EQ(tracks[0].points.size(), 3u);
  EXPECT_EQ(tracks[0].best, 1u);
  EXPECT_NEAR(tracks[0].confidence, 0.8f, 1e-5f);
  EXPECT_EQ(tracks[0].range, (TimeRange{0, 1'000'001}));
  const Image thumbnail = decode_jpeg(tracks[0].thumbnail_jpeg);
  EXPECT_NEAR(thumbnail.width(), 0.24 * 1.2 * 640, 2);
  EXPECT_NEAR(thumbnail.height(), 0.24 * 1.2 * 360, 2);
}

TEST_F(ObjectTrackerTest, EndsARangeHalfWayToTheSampleWithoutTheObject) {
  sample(0, 0, {seen(0.5f, 0.5f, 0.2f)});
  sample(500'000, 0, {});
  sample(900'000, 0, {});
  sample(4'000'000, 0, {});
  const auto tracks = tracker_.take_finished();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].range, (TimeRange{0, 250'000}));
}

TEST_F(ObjectTrackerTest, ANewShotEndsTheTracksAtTheirLastSample) {
  sample(0, 0, {seen(0.5f, 0.5f, 0.2f)});
  sample(500'000, 1, {seen(0.5f, 0.5f, 0.2f)});
  const auto tracks = tracker_.take_finished();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].range, (TimeRange{0, 1}));
}

TEST_F(ObjectTrackerTest, AnObjectSeenAgainIsOneTrackAndHasNoPointInTheGap) {
  sample(0, 0, {seen(0.5f, 0.5f, 0.2f)});
  sample(500'000, 0, {});
  sample(1'000'000, 0, {seen(0.5f, 0.5f, 0.2f)});
  tracker_.finish();
  const auto tracks = tracker_.take_finished();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].points.size(), 2u);
  EXPECT_EQ(tracks[0].range.end_us, 1'000'001);
}

TEST_F(ObjectTrackerTest, TakesBoxesOverTheEdgeAndSmallerThanAPixel) {
  sample(0, 0,
         {{{-0.2f, -0.1f, 0.1f, 0.2f}, 0.9f, 0}, {{0.999f, 0.999f, 0.9991f, 0.9991f}, 0.9f, 1}});
  tracker_.finish();
  const auto tracks = tracker_.take_finished();
  ASSERT_EQ(tracks.size(), 2u);
  for (const ObjectTrack& track : tracks) EXPECT_FALSE(decode_jpeg(track.thumbnail_jpeg).empty());
}

TEST_F(ObjectTrackerTest, RefusesAClassItHasNoNameFor) {
  EXPECT_THROW(sample(0, 0, {seen(0.5f, 0.5f, 0.2f, 0.9f, 2)}), Error);
}

}  // namespace
}  // namespace prismvid::vision

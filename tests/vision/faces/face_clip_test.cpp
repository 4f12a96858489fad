#include "support/face_clip.h"

#include <gtest/gtest.h>

#include "media/video_file.h"
#include "vision/faces/face_analyzer.h"
#include "vision/faces/identity.h"

namespace prismvid::vision {
namespace {

constexpr int64_t kStepUs = 500'000;

/// The fast stage's way: two samples a second of one shot.
std::vector<FaceTrack> analyse(media::FrameSource& source) {
  FaceAnalyzer analyzer(ModelRegistry::standard(), {});
  std::vector<FaceTrack> tracks;
  int64_t next_us = 0;
  while (const auto frame = source.next()) {
    if (frame->pts_us < next_us) continue;
    next_us += kStepUs;
    const Image picture = frame->rgb(frame->display_size());
    analyzer.add({.frame = frame->index, .pts_us = frame->pts_us, .shot = 0, .picture = picture});
    for (FaceTrack& track : analyzer.take_finished()) tracks.push_back(std::move(track));
  }
  for (FaceTrack& track : analyzer.finish()) tracks.push_back(std::move(track));
  return tracks;
}

TEST(FaceClip, TwoVisitsOfOnePersonAreTwoTracksWithTheirTimesAndOnePerson) {
  const tests::FaceClip clip = tests::face_clip();
  const auto source = media::open_video(clip.path);
  const auto tracks = analyse(*source);
  ASSERT_EQ(tracks.size(), 2u);
  EXPECT_NEAR(tracks[0].range.start_us, tests::FaceClip::kFirstStartUs, kStepUs);
  EXPECT_NEAR(tracks[0].range.end_us, tests::FaceClip::kFirstEndUs, kStepUs + 40'000);
  EXPECT_NEAR(tracks[1].range.start_us, tests::FaceClip::kSecondStartUs, kStepUs);
  EXPECT_NEAR(tracks[1].range.end_us, tests::FaceClip::kSecondEndUs, kStepUs + 40'000);
  std::vector<UnknownFace> faces;
  for (const FaceTrack& track : tracks) {
    faces.push_back({track.embedding, track.quality});
    for (const TrackPoint& point : track.points)
      EXPECT_GT(intersection_over_union(point.box, tests::FaceClip::face_at(point.pts_us)), 0.5f);
  }
  const auto people = assign_people({}, faces, 1);
  EXPECT_EQ(people[0].person, 1);
  EXPECT_EQ(people[1].person, 1);
}

}  // namespace
}  // namespace prismvid::vision

#include "media/frame_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "clip_expectations.h"
#include "media/chosen_pictures.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

namespace fs = std::filesystem;

struct Kind {
  const char* name;  // gives the container
  const char* arguments;
  bool tells_by_packets;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
  return out << kind.name << " " << kind.arguments;
}

const std::string kSixSeconds = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=6 ";

std::vector<ChosenPicture> read_chosen(const fs::path& clip,
                                       const std::shared_ptr<const FrameTimes>& times,
                                       const std::vector<int64_t>& indices) {
  const auto source = open_chosen_pictures(clip, times, indices, whole_picture);
  std::vector<ChosenPicture> chosen;
  while (const auto picture = source->next()) chosen.push_back(*picture);
  return chosen;
}

class FrameTimesOf : public testing::TestWithParam<Kind> {
 protected:
  fs::path clip() const {
    return tests::synthetic_clip(kSixSeconds + GetParam().arguments, GetParam().name);
  }
};

INSTANTIATE_TEST_SUITE_P(
    Kinds, FrameTimesOf,
    testing::Values(
        Kind{"a.mp4", "-c:v libx264 -preset fast -g 40 -bf 3", true},
        Kind{"open.mp4", "-c:v libx264 -preset fast -g 25 -x264-params open-gop=1:bframes=3", true},
        Kind{"a.mkv", "-c:v libx264 -preset fast -g 250 -bf 3", true},
        Kind{"refresh.mp4", "-c:v libx264 -preset veryfast -intra-refresh 1 -g 60", true},
        Kind{"hevc.mp4",
             "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=40:open-gop=1",
             true},
        Kind{"a.webm", "-c:v libvpx-vp9 -cpu-used 5 -g 60 -auto-alt-ref 1 -lag-in-frames 16", true},
        Kind{"av1.mkv", "-c:v libsvtav1 -preset 12 -g 60", true},
        Kind{"vfr.mkv",
             "-vf select='not(mod(n\\,3))+gt(n\\,60)' -fps_mode vfr -c:v libx264 -preset fast",
             true},
        Kind{"a.ts", "-c:v libx264 -preset fast -g 40 -bf 3", false},
        Kind{"a.avi", "-c:v mpeg4 -bf 2", false}));

TEST_P(FrameTimesOf, EqualThoseOfDecodingAllFrames) {
  EXPECT_EQ(scan_frame_times(clip()).has_value(), GetParam().tells_by_packets);
  const FrameTimes times = read_frame_times(clip());
  const auto source = open_video(clip());
  std::vector<int64_t> decoded;
  for (const auto& frame : read_all(*source)) decoded.push_back(frame->pts_us);
  EXPECT_EQ(times.times_us, decoded);
  EXPECT_EQ(times.info.frames, static_cast<int64_t>(decoded.size()));
  EXPECT_EQ(times.info.frame_rate, source->info().frame_rate);
  EXPECT_EQ(times.info.display_size, source->info().display_size);
}

TEST_P(FrameTimesOf, ChosenFramesAreThoseOfDecodingAllFrames) {
  const auto times = std::make_shared<const FrameTimes>(read_frame_times(clip()));
  const auto all = read_all(*open_video(clip()));
  const auto last = static_cast<int64_t>(all.size()) - 1;
  for (const std::vector<int64_t>& indices : {std::vector<int64_t>{0, last},
                                              {1, 2, 3},
                                              {last - 26, last - 1},
                                              {24, 25, 26, 39, 40, 41},
                                              {last},
                                              {7, 37, 67}}) {
    const auto chosen = read_chosen(clip(), times, indices);
    ASSERT_EQ(chosen.size(), indices.size());
    for (size_t i = 0; i < indices.size(); ++i) {
      const Frame& expected = *all[static_cast<size_t>(indices[i])];
      EXPECT_EQ(chosen[i].index, indices[i]);
      EXPECT_EQ(chosen[i].pts_us, expected.pts_us);
      EXPECT_EQ(mean_difference(*chosen[i].picture, whole_picture(expected)), 0)
          << "frame " << indices[i] << " of " << indices.size();
    }
  }
}

/// The frames of a stretch's range, as if it were opened alone.
std::vector<ChosenPicture> frames_of_stretch(const fs::path& clip, const FrameTimes& stretch,
                                             const TimeRange& range) {
  std::vector<int64_t> indices;
  for (size_t i = 0; i < stretch.times_us.size(); ++i)
    if (range.contains(stretch.times_us[i])) indices.push_back(static_cast<int64_t>(i));
  return read_chosen(clip, std::make_shared<const FrameTimes>(stretch), indices);
}

TEST_P(FrameTimesOf, AStretchGivesTheFramesOfItsRange) {
  for (const TimeRange& range : {TimeRange{0, 500'000},
                                 {2'000'000, 3'000'000},
                                 {3'010'000, 3'570'000},
                                 {5'500'000, 9'000'000}}) {
    const auto stretch = scan_stretch(clip(), range);
    ASSERT_EQ(stretch.has_value(), GetParam().tells_by_packets);
    if (!stretch) return;
    const auto frames = frames_of_stretch(clip(), *stretch, range);
    OpenOptions options;
    options.range = range;
    const auto expected = read_all(*open_video(clip(), options));
    ASSERT_EQ(frames.size(), expected.size()) << range.start_us;
    for (size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(frames[i].pts_us, expected[i]->pts_us);
      EXPECT_EQ(mean_difference(*frames[i].picture, whole_picture(*expected[i])), 0)
          << expected[i]->pts_us;
    }
  }
}

TEST(Stretch, ThatBeginsBehindTheEndHoldsNothingOfItsRange) {
  const fs::path clip =
      tests::synthetic_clip(kSixSeconds + "-c:v libx264 -preset fast", "behind.mp4");
  const auto stretch = scan_stretch(clip, {20'000'000, 30'000'000});
  ASSERT_TRUE(stretch.has_value());
  EXPECT_LT(stretch->times_us.back(), 6'000'000);
}

TEST(ChosenPictures, ADamagedFrameIsReplacedByTheOneBeforeIt) {
  const fs::path clip = tests::synthetic_clip(kSixSeconds + "-c:v ffv1 -g 1", "damage.mkv");
  std::ifstream file(clip, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const tests::TemporaryFolder folder;
  const fs::path damaged = folder.path() / "damaged.mkv";
  for (size_t i = bytes.size() / 2; i < bytes.size() / 2 + 4000; ++i) bytes[i] ^= 0x5a;
  std::ofstream(damaged, std::ios::binary) << bytes;
  const auto times = std::make_shared<const FrameTimes>(read_frame_times(damaged));
  std::vector<int64_t> all(times->times_us.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>(i);
  const auto frames = read_chosen(damaged, times, all);
  EXPECT_EQ(frames.size(), all.size());
  for (size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].pts_us, times->times_us[i]);
}

TEST(ChosenPictures, WhatMakingThrowsIsMetBehindThePicturesBeforeIt) {
  const fs::path clip =
      tests::synthetic_clip(kSixSeconds + "-c:v libx264 -preset fast -g 25", "throw.mp4");
  const auto times = std::make_shared<const FrameTimes>(read_frame_times(clip));
  const auto source =
      open_chosen_pictures(clip, times, {10, 40, 80, 120}, [](const Frame& frame) -> Image {
        if (frame.index >= 80) throw std::runtime_error("no more");
        return whole_picture(frame);
      });
  EXPECT_EQ(source->next()->index, 10);
  EXPECT_EQ(source->next()->index, 40);
  EXPECT_THROW(source->next(), std::runtime_error);
}

TEST(ChosenPictures, MayBeLeftUnread) {
  const fs::path clip =
      tests::synthetic_clip(kSixSeconds + "-c:v libx264 -preset fast -g 25", "throw.mp4");
  const auto times = std::make_shared<const FrameTimes>(read_frame_times(clip));
  // More than may wait: decoding stops until somebody asks.
  const auto source = open_chosen_pictures(clip, times, {1, 2, 30, 60, 90, 120, 149},
                                           [](const Frame&) { return Image(6000, 6000, 3); });
  EXPECT_EQ(source->next()->index, 1);
  for (const int64_t index : {2, 30, 60, 90, 120, 149}) EXPECT_EQ(source->next()->index, index);
  EXPECT_FALSE(source->next());
  open_chosen_pictures(clip, times, {1, 2, 30, 60, 90, 120, 149}, [](const Frame&) {
    return Image(6000, 6000, 3);
  })->next();
}

TEST(ChosenPictures, ATruncatedFileIsCountedByDecoding) {
  const fs::path whole =
      tests::synthetic_clip(kSixSeconds + "-c:v libx264 -preset fast", "whole.mkv");
  std::ifstream file(whole, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const tests::TemporaryFolder folder;
  const fs::path cut = folder.path() / "cut.mkv";
  std::ofstream(cut, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  std::vector<int64_t> decoded;
  for (const auto& frame : read_all(*open_video(cut))) decoded.push_back(frame->pts_us);
  EXPECT_EQ(read_frame_times(cut).times_us, decoded);
}

}  // namespace
}  // namespace prismvid::media

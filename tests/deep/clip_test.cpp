#include "deep/clip.h"

#include <gtest/gtest.h>

#include <atomic>

#include "core/error.h"
#include "deep/clip_cache.h"
#include "script_model.h"
#include "support/synthetic_clip.h"

namespace prismvid::deep {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// Keeps clips, and counts the frames that it got.
class KeepingModel : public ScriptModel {
 public:
  Image resized(ImageView picture, int frames) const override {
    ++shrunk;
    return ScriptModel::resized(picture, frames);
  }
  ClipCache* clips() const override { return &clips_; }

  mutable std::atomic<int> shrunk = 0;

 private:
  mutable ClipCache clips_{1 << 20};
};

class ClipReaderTest : public testing::Test {
 protected:
  ClipReaderTest()
      : video_(tests::synthetic_clip("-f lavfi -i testsrc2=size=64x36:rate=5:duration=60 -c:v "
                                     "libx264 -g 10 -pix_fmt yuv420p",
                                     "sixty.mp4")) {}

  std::filesystem::path video_;
  KeepingModel model_;
};

TEST_F(ClipReaderTest, WhatWasShownLatelyIsNotDecodedAgain) {
  const TimeRange range{20 * kSecond, 30 * kSecond};
  const auto clip = ClipReader(video_, "content", model_, FrameSearch::kSeeking).read(range);
  const int shrunk = model_.shrunk;
  EXPECT_GT(shrunk, 0);
  EXPECT_EQ(ClipReader("gone.mp4", "content", model_, FrameSearch::kAllTimes).read(range), clip);
  EXPECT_EQ(model_.shrunk, shrunk);
  EXPECT_NE(ClipReader(video_, "another", model_, FrameSearch::kSeeking).read(range), clip);
  EXPECT_NE(ClipReader(video_, "content", model_, FrameSearch::kSeeking)
                .read({20 * kSecond, 31 * kSecond}),
            clip);
}

TEST_F(ClipReaderTest, BothSearchesFindTheSameFrames) {
  for (const TimeRange& range : {TimeRange{0, 10 * kSecond},
                                 {33 * kSecond + 100'000, 41 * kSecond},
                                 {55 * kSecond, 70 * kSecond}}) {
    const auto all = ClipReader(video_, "", model_, FrameSearch::kAllTimes).read(range);
    const auto sought = ClipReader(video_, "", model_, FrameSearch::kSeeking).read(range);
    EXPECT_EQ(all->times_us, sought->times_us);
  }
}

TEST_F(ClipReaderTest, RangesReadTogetherShowWhatEachShowsAlone) {
  const std::vector<TimeRange> ascending = {{0, 7 * kSecond + 300'000},
                                            {7 * kSecond + 300'000, 20 * kSecond},
                                            {41 * kSecond, 60 * kSecond}};
  for (const FrameSearch search : {FrameSearch::kAllTimes, FrameSearch::kSeeking})
    for (const std::vector<TimeRange>& ranges :
         {ascending, {ascending[2], ascending[0], ascending[0]}}) {
      size_t next = 0;
      ClipReader(video_, "", model_, search).read_each(ranges, [&](const auto& clip) {
        ASSERT_LT(next, ranges.size());
        const auto alone =
            ClipReader(video_, "", model_, FrameSearch::kAllTimes).read(ranges[next++]);
        EXPECT_EQ(clip->range.start_us, alone->range.start_us);
        EXPECT_EQ(clip->times_us, alone->times_us);
        EXPECT_EQ(clip->frames.size(), alone->frames.size());
      });
      EXPECT_EQ(next, ranges.size());
    }
}

TEST_F(ClipReaderTest, RangesReadTogetherAreKeptAndFoundAgain) {
  const std::vector<TimeRange> ranges = {{0, 10 * kSecond}, {10 * kSecond, 20 * kSecond}};
  std::vector<std::shared_ptr<const Clip>> first, second;
  ClipReader(video_, "content", model_, FrameSearch::kAllTimes).read_each(ranges, [&](auto clip) {
    first.push_back(std::move(clip));
  });
  const int shrunk = model_.shrunk;
  ClipReader("gone.mp4", "content", model_, FrameSearch::kAllTimes)
      .read_each(ranges, [&](auto clip) { second.push_back(std::move(clip)); });
  EXPECT_EQ(first, second);
  EXPECT_EQ(model_.shrunk, shrunk);
}

TEST_F(ClipReaderTest, OnlyWhatIsNotKeptIsDecoded) {
  const std::vector<TimeRange> ranges = {{0, 10 * kSecond},
                                         {10 * kSecond, 20 * kSecond},
                                         {20 * kSecond, 30 * kSecond},
                                         {30 * kSecond, 40 * kSecond}};
  ClipReader(video_, "content", model_, FrameSearch::kSeeking).read(ranges[1]);
  const int shrunk = model_.shrunk;
  std::vector<int64_t> starts;
  ClipReader(video_, "content", model_, FrameSearch::kAllTimes)
      .read_each(ranges, [&](const auto& clip) { starts.push_back(clip->range.start_us); });
  EXPECT_EQ(starts, (std::vector<int64_t>{0, 10 * kSecond, 20 * kSecond, 30 * kSecond}));
  EXPECT_EQ(model_.shrunk, 4 * shrunk);
}

TEST_F(ClipReaderTest, ARangeBehindTheEndIsRefused) {
  for (const FrameSearch search : {FrameSearch::kAllTimes, FrameSearch::kSeeking})
    EXPECT_THROW(ClipReader(video_, "", model_, search).read({70 * kSecond, 80 * kSecond}), Error);
}

}  // namespace
}  // namespace prismvid::deep

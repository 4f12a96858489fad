#include "media/prefetching_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "support/synthetic_source.h"

namespace prismvid::media {
namespace {

std::unique_ptr<FrameSource> counted(int64_t frames, std::atomic<int64_t>& painted) {
  return tests::make_synthetic_source({.size = {16, 8}, .frames = frames},
                                      [&painted](int64_t index, Image& picture) {
                                        ++painted;
                                        picture.data()[0] = static_cast<uint8_t>(index);
                                      });
}

TEST(PrefetchingSource, HandsOutEveryFrameInOrderAndThenTheEnd) {
  std::atomic<int64_t> painted = 0;
  PrefetchingSource source(counted(200, painted), 4);
  for (int64_t i = 0; i < 200; ++i) {
    const auto frame = source.next();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->index, i);
    EXPECT_EQ(frame->pts_us, i * 40000);
    EXPECT_EQ(frame->rgb({16, 8}).data()[0], static_cast<uint8_t>(i));
  }
  EXPECT_EQ(source.next(), nullptr);
  EXPECT_EQ(source.next(), nullptr);
  EXPECT_EQ(source.info().frames, 200);
}

TEST(PrefetchingSource, NeverHoldsMoreThanItsCapacity) {
  std::atomic<int64_t> painted = 0;
  PrefetchingSource source(counted(1000, painted), 3);
  for (int64_t taken = 1; taken <= 50; ++taken) {
    source.next();
    EXPECT_LE(painted.load(), taken + 3 + 1);  // the queue and the one in the making
  }
}

TEST(PrefetchingSource, HoldsFewerLargePictures) {
  const auto large = [](Size size) {
    return PrefetchingSource(
               tests::make_synthetic_source({.size = size, .frames = 0}, [](int64_t, Image&) {}))
        .capacity();
  };
  EXPECT_EQ(large({1920, 1080}), 16u);
  EXPECT_EQ(large({7680, 4320}), 2u);
  EXPECT_EQ(large({16000, 16000}), 1u);
}

TEST(PrefetchingSource, CarriesAnErrorOverAfterTheFramesBeforeIt) {
  PrefetchingSource source(
      tests::make_synthetic_source({.size = {16, 8}, .frames = 9}, [](int64_t index, Image&) {
        if (index == 5) throw std::runtime_error("frame five");
      }));
  for (int i = 0; i < 5; ++i) ASSERT_NE(source.next(), nullptr);
  EXPECT_THROW(source.next(), std::runtime_error);
  EXPECT_EQ(source.next(), nullptr);
}

TEST(PrefetchingSource, StopsInTheMiddleWithAFullQueue) {
  std::atomic<int64_t> painted = 0;
  for (int i = 0; i < 100; ++i) {
    PrefetchingSource source(counted(1'000'000, painted), 2);
    if (i % 2) source.next();
  }
  EXPECT_LT(painted.load(), 1000);
}

}  // namespace
}  // namespace prismvid::media

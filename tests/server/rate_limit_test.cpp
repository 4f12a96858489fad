#include "server/rate_limit.h"

#include <gtest/gtest.h>

namespace prismvid::server {
namespace {

using std::chrono::milliseconds;

TEST(RateLimit, ABurstIsTakenThenTheRateHolds) {
  RateLimit limit(10, 2);
  const auto start = RateLimit::Clock::time_point();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(limit.take("a", start), 0) << i;
  EXPECT_NEAR(limit.take("a", start), 0.1, 1e-9);
  EXPECT_EQ(limit.take("a", start + milliseconds(100)), 0);
  EXPECT_GT(limit.take("a", start + milliseconds(100)), 0);
}

TEST(RateLimit, ClientsDoNotShareTheirs) {
  RateLimit limit(1, 1);
  const auto start = RateLimit::Clock::time_point();
  EXPECT_EQ(limit.take("a", start), 0);
  EXPECT_GT(limit.take("a", start), 0);
  EXPECT_EQ(limit.take("b", start), 0);
}

TEST(RateLimit, ZeroIsNoLimit) {
  RateLimit limit(0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limit.take("a"), 0);
}

}  // namespace
}  // namespace prismvid::server

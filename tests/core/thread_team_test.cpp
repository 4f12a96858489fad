#include "core/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <stdexcept>

namespace prismvid {
namespace {

TEST(ThreadTeam, DoesEveryPieceOnceWhateverItsSize) {
  for (const size_t size : {0, 1, 2, 5}) {
    ThreadTeam team(size);
    EXPECT_EQ(team.size(), std::max<size_t>(1, size));
    for (const size_t count : {0, 1, 3, 100}) {
      std::vector<std::atomic<int>> done(count);
      team.run(count, [&](size_t member, size_t i) {
        EXPECT_LT(member, team.size());
        ++done[i];
      });
      for (const auto& times : done) EXPECT_EQ(times, 1);
    }
  }
}

TEST(ThreadTeam, PiecesRunSideBySide) {
  ThreadTeam team(3);
  std::latch all(3);  // would wait for ever if one member did all
  team.run(3, [&](size_t, size_t) { all.arrive_and_wait(); });
}

TEST(ThreadTeam, AnExceptionReachesTheCallerAndTheTeamGoesOn) {
  ThreadTeam team(2);
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(team.run(8, [](size_t, size_t i) { if (i == 3) throw std::runtime_error("no"); }), std::runtime_error);
    std::atomic<int> done = 0;
    team.run(8, [&](size_t, size_t) { ++done; });
    EXPECT_EQ(done, 8);
  }
}

}  // namespace
}  // namespace prismvid

#include "inference/drafter.h"

#include <gmock/gmock.h>

namespace prismvid::inference {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LookUp, GuessesWhatFollowedTheLatestOfTheLongestEqualStretches) {
  LookUp look_up({1, 2, 3, 4, 50, 9, 2, 3, 4, 60, 61, 7});
  EXPECT_THAT(look_up.guess(4), IsEmpty());
  for (const int id : {2, 3, 4}) look_up.push(id);
  EXPECT_THAT(look_up.guess(2), ElementsAre(60, 61));  // the later of two of the same length
  LookUp longer({1, 2, 3, 4, 50, 9, 2, 3, 4, 60, 61, 7, 1, 2, 3, 4});
  EXPECT_THAT(longer.guess(3), ElementsAre(50, 9, 2));  // the longer one
}

TEST(LookUp, TwoEqualTokensAreNoGroundForAGuess) {
  EXPECT_THAT(LookUp({1, 2, 3, 9, 1, 2}).guess(4), IsEmpty());
}

TEST(LookUp, NeitherGuessesNorLooksUpVisualTokens) {
  constexpr int kVisual = LookUp::kNoText;
  EXPECT_THAT(LookUp({1, 2, 3, 4, kVisual, kVisual, 1, 2, 3}).guess(4), ElementsAre(4));
  EXPECT_THAT(LookUp({kVisual, kVisual, kVisual, 5, kVisual, kVisual, kVisual}).guess(4),
              IsEmpty());
}

TEST(Acceptance, MakesAsManyGuessesAsAreWorthTheirRows) {
  Acceptance sure(0.99), even(0.5);
  const StepCost alone{0.3, 1}, with_seven{0.3, 8};
  EXPECT_EQ(sure.worth(7, alone), 7);
  EXPECT_EQ(sure.worth(3, alone), 3);
  EXPECT_EQ(even.worth(7, alone), 1);       // 0.5 is above 0.3, a quarter is not
  EXPECT_EQ(even.worth(7, with_seven), 0);  // a row is most of what a token costs
  EXPECT_EQ(Acceptance(0.9).worth(7, with_seven), 2);
}

TEST(Acceptance, TurnsItselfOffAndTriesAgainNowAndThen) {
  const StepCost alone{0.3, 1};
  Acceptance bad(0.7);
  int first = 0;
  while (bad.worth(7, alone) > 0) {
    bad.note(0, false);
    ASSERT_LT(++first, 10);
  }
  int tries = 0;
  for (int i = 0; i < 240; ++i) {
    const int guesses = bad.worth(7, alone);
    ASSERT_LE(guesses, 1);
    if (guesses == 0) continue;
    ++tries;
    bad.note(0, false);
  }
  EXPECT_EQ(tries, 10);
  for (int i = 0; i < 20; ++i) bad.note(1, true);
  EXPECT_GT(bad.worth(7, alone), 3);
}

}  // namespace
}  // namespace prismvid::inference

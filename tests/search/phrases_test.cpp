#include "search/phrases.h"

#include <gtest/gtest.h>

namespace prismvid::search {
namespace {

using Phrases = std::vector<Phrase>;

TEST(ParsePhrases, EachWordIsLookedForByItself) {
  EXPECT_EQ(parse_phrases("red  Cups!"), (Phrases{{"red"}, {"cup"}}));
}

TEST(ParsePhrases, QuotedWordsMustFollowEachOther) {
  EXPECT_EQ(parse_phrases("man \"red cup\" table"), (Phrases{{"man"}, {"red", "cup"}, {"tabl"}}));
  EXPECT_EQ(parse_phrases("\"red cup"), (Phrases{{"red", "cup"}}));
  EXPECT_EQ(parse_phrases("\"a b\" \"c d\""), (Phrases{{"a", "b"}, {"c", "d"}}));
}

TEST(ParsePhrases, ChineseCharactersThatTouchBelongTogether) {
  EXPECT_EQ(parse_phrases("你好 世界"), (Phrases{{"你", "好"}, {"世", "界"}}));
}

TEST(ParsePhrases, WordsThatSayNothingCountOnlyAlone) {
  EXPECT_EQ(parse_phrases("Where is the cup and who holds it?"), (Phrases{{"cup"}, {"hold"}}));
  EXPECT_EQ(parse_phrases("wo ist die Tasse"), (Phrases{{"tass"}}));
  EXPECT_EQ(parse_phrases("the who"), (Phrases{{"the"}, {"who"}}));
}

TEST(ParsePhrases, WithoutAWordThereIsNothing) {
  EXPECT_TRUE(parse_phrases(" ?! ").empty());
  EXPECT_TRUE(parse_phrases("\"\"").empty());
}

}  // namespace
}  // namespace prismvid::search

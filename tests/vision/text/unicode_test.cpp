#include "vision/text/unicode.h"

#include <gtest/gtest.h>

namespace prismvid::vision {

TEST(Unicode, ComposesAccentsAndTrims) {
  EXPECT_EQ(to_nfc(" u\xCC\x88"
                   "ber "),
            "\xC3\xBC"
            "ber");
  EXPECT_EQ(to_nfc("\xE4\xBD\xA0\xE5\xA5\xBD"), "\xE4\xBD\xA0\xE5\xA5\xBD");
}

TEST(Unicode, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(to_nfc("a\xFF"
                   "b"),
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Unicode, ComparesLettersAndDigitsWithoutCase) {
  EXPECT_EQ(comparison_key("Hello, World 2!"), comparison_key("hello world2"));
  EXPECT_NE(comparison_key("Score 1"), comparison_key("Score 2"));
}

TEST(Unicode, CodePointsAndBack) {
  const std::string text = "a\xC3\xA4\xF0\x9F\x98\x80";
  EXPECT_EQ(code_points(text).size(), 3u);
  EXPECT_EQ(to_utf8(code_points(text)), text);
}

TEST(Unicode, GuessesTheLanguageOnlyWhereItIsPlain) {
  EXPECT_EQ(guess_language("We are not going to the station"), "en");
  EXPECT_EQ(guess_language("Wir gehen nicht zum Bahnhof und warten"), "de");
  EXPECT_EQ(guess_language("\xE6\x88\x91\xE4\xBB\xAC\xE5\x8E\xBB\xE5\x8C\x97\xE4\xBA\xAC"), "zh");
  EXPECT_EQ(guess_language("\xE3\x81\x93\xE3\x82\x93\xE3\x81\xAB\xE3\x81\xA1\xE3\x81\xAF"), "ja");
  EXPECT_EQ(guess_language("LIVE"), "");
  EXPECT_EQ(guess_language("12:45"), "");
}

}  // namespace prismvid::vision

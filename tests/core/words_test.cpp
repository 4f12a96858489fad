#include "core/words.h"

#include <gtest/gtest.h>

namespace prismvid {
namespace {

std::vector<std::string> stems(std::string_view text) {
  std::vector<std::string> list;
  for (const Word& word : split_words(text)) list.push_back(word.stem);
  return list;
}

using List = std::vector<std::string>;

TEST(SplitWords, FormsOfAWordHaveOneStem) {
  EXPECT_EQ(stems("walks WALKED walking"), (List{"walk", "walk", "walk"}));
  EXPECT_EQ(stems("folders, folder's"), (List{"folder", "folder", "s"}));
}

TEST(SplitWords, CaseAccentsAndWidthDoNotCount) {
  EXPECT_EQ(stems("Übergröße"), stems("ubergrosse"));
  EXPECT_EQ(stems("ＬＩＶＥ"), stems("live"));
}

TEST(SplitWords, CharactersOfScriptsWithoutSpacesAreWords) {
  EXPECT_EQ(stems("你好，世界"), (List{"你", "好", "世", "界"}));
  EXPECT_EQ(stems("第3章b"), (List{"第", "3", "章", "b"}));
}

TEST(SplitWords, SaysWhereAWordStands) {
  const std::string text = "Tür, 红 cup";
  for (const Word& word : split_words(text)) {
    const std::string there = text.substr(word.begin, word.end - word.begin);
    EXPECT_TRUE(there == "Tür" || there == "红" || there == "cup") << there;
  }
}

TEST(SplitWords, BrokenBytesSeparateWords) {
  EXPECT_EQ(stems("red\xff\xfe"
                  "cup\xc3"),
            (List{"red", "cup"}));
  EXPECT_TRUE(stems("").empty());
  EXPECT_TRUE(stems(" .,- \n").empty());
}

}  // namespace
}  // namespace prismvid

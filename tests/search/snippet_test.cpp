#include "search/snippet.h"

#include <gtest/gtest.h>

namespace prismvid::search {
namespace {

const std::vector<Phrase> kFolder = {{"folder"}};

TEST(SnippetOf, AShortTextStaysWhole) {
  const Snippet snippet = snippet_of("She opens\nFolders and a folder.", kFolder);
  EXPECT_EQ(snippet.text, "She opens Folders and a folder.");
  EXPECT_EQ(snippet.matches, (std::vector<std::string>{"Folders", "folder"}));
}

TEST(SnippetOf, ALongTextIsCutAroundTheFirstMatch) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "nothing ";
  text += "folder";
  for (int i = 0; i < 50; ++i) text += " after";
  const Snippet snippet = snippet_of(text, kFolder, 40);
  EXPECT_TRUE(snippet.text.starts_with("…nothing")) << snippet.text;
  EXPECT_NE(snippet.text.find(" folder after"), std::string::npos) << snippet.text;
  EXPECT_TRUE(snippet.text.ends_with("after…")) << snippet.text;
  EXPECT_LE(snippet.text.size(), 40 + 2 * std::string("…").size());
}

TEST(SnippetOf, WithoutAMatchTheBeginningIsShown) {
  EXPECT_EQ(snippet_of("one two three", kFolder, 8).text, "one two…");
  EXPECT_TRUE(snippet_of("one", kFolder).matches.empty());
}

TEST(SnippetOf, NoCharacterIsCutInPieces) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "好";
  const Snippet snippet = snippet_of(text + "folder" + text, kFolder, 30);
  for (const char* piece : {"…", "folder"}) EXPECT_NE(snippet.text.find(piece), std::string::npos);
  EXPECT_EQ((snippet.text.size() - std::string("folder").size()) % 3, 0u) << snippet.text;
}

}  // namespace
}  // namespace prismvid::search

#include "search/word_piece.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "support/synthetic_clip.h"

namespace prismvid::search {
namespace {

/// A small vocabulary, ids from 0.
class WordPieceTest : public testing::Test {
 protected:
  WordPiece make(const std::vector<std::string>& pieces) {
    const auto file = folder_.path() / "vocabulary.txt";
    std::ofstream out(file, std::ios::binary);
    for (const std::string& piece : pieces) out << piece << '\n';
    out.close();
    return WordPiece(file);
  }

  tests::TemporaryFolder folder_;
};

TEST_F(WordPieceTest, TakesTheLongestPieces) {
  const WordPiece tokenizer =
      make({"[UNK]", "[CLS]", "[SEP]", "walk", "##ing", "##in", "##g", "w"});
  EXPECT_EQ(tokenizer.encode("Walking", 16), (std::vector<int64_t>{1, 3, 4, 2}));
  EXPECT_EQ(tokenizer.encode("walkx", 16), (std::vector<int64_t>{1, 0, 2}));
}

TEST_F(WordPieceTest, KeepsToTheMostTokens) {
  const WordPiece tokenizer = make({"[UNK]", "[CLS]", "[SEP]", "a"});
  EXPECT_EQ(tokenizer.encode("a a a a", 4), (std::vector<int64_t>{1, 3, 3, 2}));
  EXPECT_EQ(tokenizer.encode("", 4), (std::vector<int64_t>{1, 2}));
}

TEST_F(WordPieceTest, RefusesAFileThatIsNoVocabulary) {
  EXPECT_THROW(make({"walk"}), Error);
  EXPECT_THROW(WordPiece(folder_.path() / "missing.txt"), Error);
}

}  // namespace
}  // namespace prismvid::search

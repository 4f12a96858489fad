#include "core/sha256.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"

namespace prismvid {

// Vector from FIPS 180-4, appendix B.1.
TEST(Sha256, MatchesThePublishedVector) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, FileAndTextOfTheSameBytesAgree) {
  const auto path = std::filesystem::path(testing::TempDir()) / "sha256_test.bin";
  const std::string bytes(3'000'001, 'x');
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(sha256_file(path), sha256_hex(bytes));
}

TEST(Sha256, MissingFileIsNotFound) {
  try {
    sha256_file("/nonexistent/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  }
}

}  // namespace prismvid

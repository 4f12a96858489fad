#include "server/byte_range.h"

#include <gtest/gtest.h>

namespace prismvid::server {
namespace {

void expect_range(const std::string& header, int64_t offset, int64_t bytes) {
  const auto range = parse_byte_range(header, 100);
  ASSERT_TRUE(range.has_value()) << header;
  EXPECT_EQ(range->offset, offset) << header;
  EXPECT_EQ(range->bytes, bytes) << header;
}

TEST(ByteRange, ReadsEveryForm) {
  expect_range("bytes=0-9", 0, 10);
  expect_range("bytes=90-", 90, 10);
  expect_range("bytes=-10", 90, 10);
  expect_range("bytes=99-99", 99, 1);
}

TEST(ByteRange, EndsAtTheEndOfTheBody) {
  expect_range("bytes=90-1000", 90, 10);
  expect_range("bytes=-1000", 0, 100);
  expect_range("bytes=0-99999999999999999999999", 0, 100);
}

TEST(ByteRange, WhatIsNoSingleRangeMeansTheWhole) {
  for (const char* header : {"", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "items=0-1", "bytes=0-1,5-6", "bytes=--5"})
    EXPECT_FALSE(parse_byte_range(header, 100).has_value()) << header;
}

TEST(ByteRange, BehindTheEndIsRefusedWithTheLength) {
  for (const char* header : {"bytes=100-", "bytes=100-200", "bytes=-0"}) try {
      parse_byte_range(header, 100);
      ADD_FAILURE() << header;
    } catch (const HttpError& error) {
      EXPECT_EQ(error.status(), 416);
      EXPECT_EQ(error.headers().at(0).second, "bytes */100");
    }
}

}  // namespace
}  // namespace prismvid::server

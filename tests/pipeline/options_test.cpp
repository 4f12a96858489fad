#include "pipeline/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"

namespace prismvid::pipeline {
namespace {

using testing::HasSubstr;

template <typename Parse>
void expect_refused(Parse parse, const std::string& text, const std::string& part) {
  try {
    parse(text);
    ADD_FAILURE() << "'" << text << "' was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

TEST(Options, ShotsAreAlwaysAmongTheFeatures) {
  EXPECT_EQ(parse_features("ocr"), (std::set<std::string>{"ocr", "shots"}));
  EXPECT_EQ(parse_features("all").size(), kFeatures.size());
}

TEST(Options, UnknownFeaturesAreNamedWithThoseThatAreKnown) {
  expect_refused(parse_features, "ocr,smells", "'smells'");
  expect_refused(parse_features, "smells", "transcript");
  expect_refused(parse_features, "", "no feature");
}

TEST(Options, RangesMayBeOpenAtEitherEnd) {
  EXPECT_EQ(parse_range("10-20"), (TimeRange{10'000'000, 20'000'000}));
  EXPECT_EQ(parse_range("1:05-2:10.5"), (TimeRange{65'000'000, 130'500'000}));
  EXPECT_EQ(parse_range("-30"), (TimeRange{0, 30'000'000}));
  EXPECT_EQ(parse_range("30-"), (TimeRange{30'000'000, std::numeric_limits<int64_t>::max()}));
}

TEST(Options, RangesThatCannotBeAreRefused) {
  expect_refused(parse_range, "10", "not a range");
  expect_refused(parse_range, "-", "not a range");
  expect_refused(parse_range, "20-10", "ends before it starts");
  expect_refused(parse_range, "5-5", "ends before it starts");
  expect_refused(parse_range, "a-b", "a");
}

TEST(Options, RatesAreExact) {
  EXPECT_EQ(parse_rate("2"), (Rational{2, 1}));
  EXPECT_EQ(parse_rate("0.5"), (Rational{1, 2}));
  EXPECT_EQ(parse_rate("30000/1001"), (Rational{30000, 1001}));
  for (const char* text : {"0", "-1", "121", "1/0", "two", "1.", "", "1e9"})
    expect_refused(parse_rate, text, "not a frame rate");
}

}  // namespace
}  // namespace prismvid::pipeline

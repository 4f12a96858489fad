#pragma once

#include <cstdint>
#include <string>

namespace prismvid {

/// A frame rate or time base, kept exact: 24000/1001 stays 24000/1001.
struct Rational {
  int64_t numerator = 0;
  int64_t denominator = 1;

  double value() const {
    return denominator == 0 ? 0.0 : static_cast<double>(numerator) / static_cast<double>(denominator);
  }
  bool operator==(const Rational&) const = default;
};

/// Half-open range [start, end) in microseconds from the first presented frame.
struct TimeRange {
  int64_t start_us = 0;
  int64_t end_us = 0;

  int64_t duration_us() const { return end_us - start_us; }
  bool contains(int64_t t_us) const { return t_us >= start_us && t_us < end_us; }
  bool operator==(const TimeRange&) const = default;
};

/// "1:02:03.456", hours only when there are any.
std::string format_clock(int64_t t_us);

/// Reads "83.5", "1:23.5" or "1:02:03.5" as microseconds; throws Error(kInvalidArgument) on anything else.
int64_t parse_clock(const std::string& text);

}  // namespace prismvid

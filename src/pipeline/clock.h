#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

#include "core/stopwatch.h"

namespace prismvid::pipeline {

/// Wall time since it was made, and the time of day for records.
class Clock {
 public:
  double seconds_since_start() const { return watch_.seconds(); }

  double ms_since_start() const { return seconds_since_start() * 1000; }

  int64_t nanoseconds() const { return std::chrono::system_clock::now().time_since_epoch().count(); }

  /// Now, in UTC: "2026-11-23T15:10:02Z".
  std::string rfc3339() const {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
  }

 private:
  Stopwatch watch_;
};

}  // namespace prismvid::pipeline

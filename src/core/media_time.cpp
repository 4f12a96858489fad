#include "core/media_time.h"

#include <cctype>
#include <cstdio>

#include "core/error.h"

namespace prismvid {

std::string format_clock(int64_t t_us) {
  const int64_t t_ms = (t_us + 500) / 1000;
  const int64_t hours = t_ms / 3'600'000;
  const int minutes = static_cast<int>(t_ms / 60'000 % 60);
  const int seconds = static_cast<int>(t_ms / 1000 % 60);
  char text[48];
  if (hours > 0) {
    std::snprintf(text, sizeof text, "%lld:%02d:%02d.%03d", static_cast<long long>(hours), minutes, seconds,
                  static_cast<int>(t_ms % 1000));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d.%03d", minutes, seconds, static_cast<int>(t_ms % 1000));
  }
  return text;
}

int64_t parse_clock(const std::string& text) {
  auto refuse = [&]() {
    fail(ErrorCode::kInvalidArgument, "'", text, "' is not a time: write seconds (83.5) or clock time (1:23.5, 1:02:03)");
  };
  int64_t whole = 0, part = 0, fraction_us = 0, scale = 100'000;
  int colons = 0, digits = 0;
  bool in_fraction = false;
  for (char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      if (in_fraction) {
        fraction_us += (c - '0') * scale;
        scale /= 10;
      } else {
        part = part * 10 + (c - '0');
        if (part > 100'000'000) refuse();
      }
      ++digits;
    } else if (c == ':' && !in_fraction && digits > 0 && colons < 2) {
      whole = (whole + part) * 60;
      part = 0;
      digits = 0;
      ++colons;
    } else if (c == '.' && !in_fraction && digits > 0) {
      in_fraction = true;
    } else {
      refuse();
    }
  }
  if (digits == 0) refuse();
  return (whole + part) * 1'000'000 + fraction_us;
}

}  // namespace prismvid

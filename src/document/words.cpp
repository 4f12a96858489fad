#include "document/words.h"

#include <cstdio>

namespace prismvid::document {

std::string spoken_duration(int64_t duration_us) {
  char text[64];
  if (duration_us < 10'000'000) {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(duration_us) / 1e6);
    return text;
  }
  const long long total_s = (duration_us + 500'000) / 1'000'000;
  const long long hours = total_s / 3600, minutes = total_s / 60 % 60, rest = total_s % 60;
  if (hours > 0)
    std::snprintf(text, sizeof text, "%lld h %lld min %lld s", hours, minutes, rest);
  else if (minutes > 0)
    std::snprintf(text, sizeof text, "%lld min %lld s", minutes, rest);
  else
    std::snprintf(text, sizeof text, "%lld s", rest);
  return text;
}

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string spoken_bytes(int64_t bytes) {
  const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

std::string shortened(std::string_view text, size_t characters) {
  std::string out;
  size_t count = 0;
  for (char c : text) {
    const bool starts_character = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (starts_character && count++ == characters) return out + "…";
    out += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f ? ' ' : c;
    }
  }
  return out;
}

std::string base64(std::string_view bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    auto byte = [&](size_t n) {
      return n < left ? static_cast<unsigned>(static_cast<unsigned char>(bytes[i + n])) : 0u;
    };
    const unsigned group = byte(0) << 16 | byte(1) << 8 | byte(2);
    out += digits[group >> 18];
    out += digits[group >> 12 & 63];
    out += left > 1 ? digits[group >> 6 & 63] : '=';
    out += left > 2 ? digits[group & 63] : '=';
  }
  return out;
}

std::string cue_time(int64_t t_us, char point) {
  const long long t_ms = (t_us + 500) / 1000;
  char text[64];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld%c%03lld", t_ms / 3'600'000,
                t_ms / 60'000 % 60, t_ms / 1000 % 60, point, t_ms % 1000);
  return text;
}

}  // namespace prismvid::document

#include "pipeline/options.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <numeric>
#include <sstream>

#include "core/error.h"

namespace prismvid::pipeline {
namespace {

std::string known_features() {
  std::string text = "all";
  for (const auto* features : {&kFeatures, &kDeepFeatures})
    for (const std::string& feature : *features) text += ", " + feature;
  return text;
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

bool parse_digits(std::string_view text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1'000'000;
}

/// "2.5" as 25/10, kept exact.
bool parse_decimal(std::string_view text, Rational& rate) {
  const size_t point = text.find('.');
  const std::string_view fraction = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  int64_t whole = 0, part = 0;
  if (!parse_digits(text.substr(0, point), whole)) return false;
  if (point != std::string_view::npos && (fraction.size() > 6 || !parse_digits(fraction, part))) return false;
  rate.denominator = 1;
  for (size_t i = 0; i < fraction.size(); ++i) rate.denominator *= 10;
  rate.numerator = whole * rate.denominator + part;
  return true;
}

}  // namespace

std::set<std::string> parse_features(const std::string& text) {
  std::set<std::string> features;
  std::istringstream stream(text);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name == "all") {
      features.insert(kFeatures.begin(), kFeatures.end());
      continue;
    }
    check(contains(kFeatures, name) || contains(kDeepFeatures, name), ErrorCode::kInvalidArgument, "unknown feature '", name,
          "': choose from ", known_features());
    features.insert(name);
  }
  check(!features.empty(), ErrorCode::kInvalidArgument, "no feature given: choose from ", known_features());
  const bool any_fast = std::any_of(features.begin(), features.end(), [](const std::string& f) { return contains(kFeatures, f); });
  if (any_fast) features.insert("shots");
  return features;
}

DeepMode parse_deep_mode(const std::string& text) {
  static const std::map<std::string, DeepMode> kNames = {
      {"off", DeepMode::kOff}, {"auto", DeepMode::kAuto}, {"on", DeepMode::kOn}};
  const auto found = kNames.find(text);
  check(found != kNames.end(), ErrorCode::kInvalidArgument, "unknown deep mode '", text, "': choose from auto, on, off");
  return found->second;
}

TimeRange parse_range(const std::string& text) {
  const size_t dash = text.find('-');
  check(dash != std::string::npos && text.size() > 1, ErrorCode::kInvalidArgument, "'", text,
        "' is not a range: write START-END, for example 10-20, 1:05-2:10 or 30-");
  const std::string start = text.substr(0, dash), end = text.substr(dash + 1);
  const TimeRange range{start.empty() ? 0 : parse_clock(start),
                        end.empty() ? std::numeric_limits<int64_t>::max() : parse_clock(end)};
  check(range.start_us < range.end_us, ErrorCode::kInvalidArgument, "range '", text, "' ends before it starts");
  return range;
}

Rational parse_rate(const std::string& text) {
  const size_t slash = text.find('/');
  Rational rate;
  const bool good = slash == std::string::npos
                        ? parse_decimal(text, rate)
                        : parse_digits(std::string_view(text).substr(0, slash), rate.numerator) &&
                              parse_digits(std::string_view(text).substr(slash + 1), rate.denominator);
  check(good && rate.denominator > 0 && rate.value() > 0 && rate.value() <= 120, ErrorCode::kInvalidArgument, "'", text,
        "' is not a frame rate: write 2, 0.5 or 30000/1001, above 0 and at most 120");
  const int64_t divisor = std::gcd(rate.numerator, rate.denominator);
  return {rate.numerator / divisor, rate.denominator / divisor};
}

media::HardwareDecoding parse_hardware(const std::string& text) {
  using media::HardwareDecoding;
  static const std::map<std::string, HardwareDecoding> kNames = {{"none", HardwareDecoding::kNone},
                                                                 {"auto", HardwareDecoding::kAuto},
                                                                 {"videotoolbox", HardwareDecoding::kVideoToolbox},
                                                                 {"cuda", HardwareDecoding::kCuda},
                                                                 {"vaapi", HardwareDecoding::kVaapi}};
  const auto found = kNames.find(text);
  check(found != kNames.end(), ErrorCode::kInvalidArgument, "unknown hardware '", text,
        "': choose from none, auto, videotoolbox, cuda, vaapi");
  return found->second;
}

}  // namespace prismvid::pipeline

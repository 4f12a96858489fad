#include "tokenizer/json_text.h"

#include <charconv>
#include <cmath>

namespace prismvid::tokenizer {
namespace {

// As Python's repr(float): shortest digits, ".0" for whole numbers, exponents from 1e16 and below
// 1e-4.
std::string python_float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char digits[64];
  const double magnitude = std::fabs(value);
  const bool scientific = magnitude != 0 && (magnitude >= 1e16 || magnitude < 1e-4);
  const auto format = scientific ? std::chars_format::scientific : std::chars_format::fixed;
  const auto end = std::to_chars(digits, digits + sizeof digits, value, format).ptr;
  std::string text(digits, end);
  if (!scientific && text.find('.') == std::string::npos) text += ".0";
  return text;
}

template <typename Items, typename Write>
std::string joined(const Items& items, char open, char close, const Write& write) {
  std::string text(1, open);
  for (auto item = items.begin(); item != items.end(); ++item) {
    if (text.size() > 1) text += ", ";
    text += write(item);
  }
  return text + close;
}

}  // namespace

std::string python_json(const nlohmann::ordered_json& value) {
  if (value.is_number_float()) return python_float(value.get<double>());
  if (value.is_array())
    return joined(value, '[', ']', [](const auto& item) { return python_json(*item); });
  if (!value.is_object()) return value.dump();
  return joined(value, '{', '}', [](const auto& item) {
    return nlohmann::ordered_json(item.key()).dump() + ": " + python_json(item.value());
  });
}

}  // namespace prismvid::tokenizer

#include "grammar/number_range.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "core/error.h"

namespace prismvid::grammar {
namespace {

__extension__ typedef __int128 Wide;

constexpr int kMostDigits = 15;  // float64 tells all decimals of 15 digits apart
constexpr int kUsualDecimals = 6;

Wide power_of_ten(int exponent) {
  Wide value = 1;
  while (exponent-- > 0) value *= 10;
  return value;
}

// digits * 10^exponent, digits without zeros at the end.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;

  int integer_digits() const { return std::max(0, static_cast<int>(digits.size()) + exponent); }
  int decimals() const { return std::max(0, -exponent); }
};

Decimal parse_decimal(const std::string& text) {
  Decimal value;
  const size_t e = text.find_first_of("eE");
  if (e != std::string::npos) value.exponent = std::stoi(text.substr(e + 1));
  bool behind_point = false;
  for (const char c : text.substr(0, e)) {
    if (c == '-') value.negative = true;
    if (c == '.') behind_point = true;
    if (c < '0' || c > '9') continue;
    value.digits += c;
    if (behind_point) --value.exponent;
  }
  value.digits.erase(0, std::min(value.digits.find_first_not_of('0'), value.digits.size()));
  while (!value.digits.empty() && value.digits.back() == '0') {
    value.digits.pop_back();
    ++value.exponent;
  }
  if (value.digits.empty()) value = {};
  return value;
}

struct Scaled {
  Wide floor = 0;  // of the value times 10^decimals
  bool exact = true;
};

Scaled scaled(const Decimal& value, int decimals) {
  Wide magnitude = 0;
  bool exact = true;
  const int shift = value.exponent + decimals;  // negative: that many digits fall away
  const int kept = static_cast<int>(value.digits.size()) + std::min(shift, 0);
  for (int i = 0; i < kept; ++i) magnitude = magnitude * 10 + (value.digits[i] - '0');
  if (shift > 0) magnitude *= power_of_ten(shift);
  if (shift < 0) exact = false;  // digits do not end in zeros
  if (value.digits.empty()) exact = true;
  if (!value.negative) return {magnitude, exact};
  return {exact ? -magnitude : -magnitude - 1, exact};
}

// Decimals of magnitudes low to high, both scaled by 10^decimals, digit by digit: a state knows
// whether the digits so far are those of low and of high.
class Magnitudes {
 public:
  Magnitudes(Network& network, int decimals, int to)
      : network_(network), decimals_(decimals), to_(to) {}

  void add(int from, Wide low, Wide high) {
    for (int digits = 1; digits <= kMostDigits; ++digits) {
      const Wide least = digits == 1 ? 0 : power_of_ten(digits - 1 + decimals_);
      const Wide most = power_of_ten(digits + decimals_) - 1;
      if (std::max(low, least) > std::min(high, most)) continue;
      integer_digits_ = digits;
      low_ = text_of(std::max(low, least));
      high_ = text_of(std::min(high, most));
      known_.clear();
      network_.add_empty(from, reach(0, true, true));
    }
  }

 private:
  std::string text_of(Wide value) const {
    std::string text(static_cast<size_t>(integer_digits_ + decimals_), '0');
    for (size_t i = text.size(); i-- > 0; value /= 10)
      text[i] = static_cast<char>('0' + value % 10);
    return text;
  }

  // The state behind `position` digits.
  int reach(int position, bool at_low, bool at_high) {
    const auto [entry, is_new] = known_.try_emplace({position, at_low, at_high}, 0);
    if (!is_new) return entry->second;
    const int state = entry->second = network_.add_state();
    if (position >= integer_digits_ &&
        (!at_low || low_.find_first_not_of('0', position) == std::string::npos))
      network_.add_empty(state, to_);
    if (position == integer_digits_ + decimals_) return state;
    int digits_from = state;
    if (position == integer_digits_) {
      digits_from = network_.add_state();
      network_.add_bytes(state, '.', '.', digits_from);
    }
    add_digits(digits_from, position, at_low, at_high);
    return state;
  }

  void add_digits(int from, int position, bool at_low, bool at_high) {
    const char first = at_low ? low_[position] : '0', last = at_high ? high_[position] : '9';
    for (char digit = first; digit <= last; ++digit) {
      const int next = reach(position + 1, at_low && digit == first, at_high && digit == last);
      network_.add_bytes(from, static_cast<uint8_t>(digit), static_cast<uint8_t>(digit), next);
    }
  }

  Network& network_;
  const int decimals_;
  const int to_;
  int integer_digits_ = 0;
  std::string low_, high_;
  std::map<std::tuple<int, bool, bool>, int> known_;
};

int add_digit_run(Network& network, int from, int most, int to) {
  for (int i = 0; i < most; ++i) {
    const int next = network.add_state();
    network.add_bytes(from, '0', '9', next);
    network.add_empty(next, to);
    from = next;
  }
  return from;
}

void add_any_number(Network& network, int from, int to) {
  const int start = network.add_state(), point = network.add_state(),
            exponent = network.add_state();
  network.add_empty(from, start);
  network.add_bytes(from, '-', '-', start);
  network.add_bytes(start, '0', '0', point);
  const int first = network.add_state();
  network.add_bytes(start, '1', '9', first);
  network.add_empty(first, point);
  add_digit_run(network, first, kMostDigits - 1, point);
  network.add_empty(point, exponent);
  add_digit_run(network, network.add_text(point, "."), kMostDigits, exponent);
  network.add_empty(exponent, to);
  const int sign = network.add_state(), digits = network.add_state();
  network.add_bytes(exponent, 'e', 'e', sign);
  network.add_bytes(exponent, 'E', 'E', sign);
  network.add_empty(sign, digits);
  network.add_bytes(sign, '+', '+', digits);
  network.add_bytes(sign, '-', '-', digits);
  add_digit_run(network, digits, 2, to);
}

struct Limit {
  std::optional<Decimal> value;  // none beyond what kMostDigits can write
  bool out_of_reach = false;
};

Limit read_limit(const std::optional<std::string>& text, bool is_min) {
  if (!text) return {};
  const Decimal value = parse_decimal(*text);
  if (value.integer_digits() <= kMostDigits) return {value, false};
  return {std::nullopt, value.negative != is_min};
}

int decimals_for(const Limit& min, const Limit& max) {
  int decimals = kUsualDecimals;
  for (const Limit* limit : {&min, &max})
    if (limit->value) decimals = std::max(decimals, limit->value->decimals() + 1);
  for (const Limit* limit : {&min, &max})
    if (limit->value) decimals = std::min(decimals, kMostDigits - limit->value->integer_digits());
  return std::max(decimals, 0);
}

}  // namespace

void add_number(Network& network, int from, const NumberLimits& limits, int to) {
  if (!limits.integer && !limits.min && !limits.max) return add_any_number(network, from, to);
  const Limit min = read_limit(limits.min, true), max = read_limit(limits.max, false);
  check(!min.out_of_reach && !max.out_of_reach, ErrorCode::kInvalidArgument,
        "limits of a number that leave only numbers of more than ", kMostDigits,
        " digits are not supported");
  const int decimals = limits.integer ? 0 : decimals_for(min, max);
  const Wide most = power_of_ten(kMostDigits + decimals) - 1;
  Wide low = -most, high = most;
  if (min.value) {
    const Scaled limit = scaled(*min.value, decimals);
    low = limit.floor + (!limit.exact || limits.above_min ? 1 : 0);
  }
  if (max.value) {
    const Scaled limit = scaled(*max.value, decimals);
    high = limit.floor - (limit.exact && limits.below_max ? 1 : 0);
  }
  if (low > high) return;
  Magnitudes magnitudes(network, decimals, to);
  if (high >= 0) magnitudes.add(from, std::max<Wide>(low, 0), high);
  if (low < 0) magnitudes.add(network.add_text(from, "-"), high < 0 ? -high : Wide{1}, -low);
}

}  // namespace prismvid::grammar

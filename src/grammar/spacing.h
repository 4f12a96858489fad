#pragma once

#include <array>
#include <cstdint>

namespace prismvid::grammar {

/// What a text puts where its grammar allows white space: learnt for each byte before the place, at
/// first as Python's json.dumps() writes.
class Spacing {
 public:
  enum class Habit : uint8_t { kNone, kSpace, kOther };

  Spacing() { habits_[':'] = habits_[','] = Habit::kSpace; }

  /// The next byte; `is_between`: white space might stand in its place.
  void push(char byte, bool is_between) {
    const auto last = static_cast<uint8_t>(last_), code = static_cast<uint8_t>(byte);
    if (is_between && last < habits_.size())
      habits_[last] = code == ' ' ? Habit::kSpace : code == '\n' ? Habit::kOther : Habit::kNone;
    last_ = byte;
  }

  char last() const { return last_; }
  Habit habit() const {
    const auto last = static_cast<uint8_t>(last_);
    return last < habits_.size() ? habits_[last] : Habit::kOther;
  }

 private:
  std::array<Habit, 128> habits_{};
  char last_ = 0;
};

}  // namespace prismvid::grammar

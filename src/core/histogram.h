#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace prismvid {

/// How many values lie up to each of some bounds, and their sum. A value; not thread-safe.
class Histogram {
 public:
  /// `bounds` ascend; values above the last one count too.
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void add(double value) {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[static_cast<size_t>(bound - bounds_.begin())];
    sum_ += value;
  }

  const std::vector<double>& bounds() const { return bounds_; }
  /// Values up to each bound and above the one before it; the last: above all bounds.
  const std::vector<uint64_t>& counts() const { return counts_; }
  double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<uint64_t> counts_;
  double sum_ = 0;
};

}  // namespace prismvid

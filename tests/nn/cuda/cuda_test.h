#pragma once

#include <gtest/gtest.h>

#include "nn/cuda/arguments.h"
#include "nn/cuda/device_array.h"

namespace prismvid::cuda {

/// Tests that need a GPU; without one they are skipped.
class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (!mx::is_available(mx::Device::gpu)) GTEST_SKIP() << "skipped: no GPU";
    mx::set_default_device(mx::Device::gpu);
  }
};

inline mx::array random_bfloat16(const mx::Shape& shape, float size, uint64_t seed) {
  return mx::astype(mx::random::normal(shape, mx::float32, 0, size, mx::random::key(seed)),
                    mx::bfloat16);
}

/// ||y - wanted|| / ||wanted||; NaN where y holds one.
inline float relative_error(const mx::array& y, const mx::array& wanted) {
  const mx::array difference = mx::sum(mx::square(mx::astype(y, mx::float32) - wanted)),
                  length = mx::sum(mx::square(wanted));
  return std::sqrt((difference / length).item<float>());
}

/// Where an evaluated array lies, for a kernel to write to.
template <typename T>
T* writable(const mx::array& array) {
  return static_cast<T*>(const_cast<void*>(device_data(array)));
}

}  // namespace prismvid::cuda

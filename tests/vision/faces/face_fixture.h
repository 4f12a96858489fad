#pragma once

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/image.h"
#include "core/jpeg.h"

namespace prismvid::vision {

/// A real face: NASA's portrait of the astronaut Eileen Collins (see data/README.md).
inline Image astronaut() {
  std::ifstream stream(std::string(TEST_DATA) + "/astronaut.jpg", std::ios::binary);
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(stream)),
                                   std::istreambuf_iterator<char>());
  return decode_jpeg(bytes);
}

inline float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i)
    ab += static_cast<double>(a[i]) * b[i], aa += static_cast<double>(a[i]) * a[i],
        bb += static_cast<double>(b[i]) * b[i];
  return static_cast<float>(ab / std::sqrt(aa * bb));
}

}  // namespace prismvid::vision

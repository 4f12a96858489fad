#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nn/kernels/context.h"

namespace prismvid::nn::kernels {

/// What tests of kernels over plain numbers are repeated for.
struct LevelAndType {
  Isa isa;
  NumberType type;
};

inline std::vector<LevelAndType> levels_and_types() {
  std::vector<LevelAndType> all;
  for (Isa isa : supported_isas())
    for (NumberType type : {NumberType::kFloat32, NumberType::kBfloat16, NumberType::kFloat16})
      all.push_back({isa, type});
  return all;
}

inline std::string level_and_type(const testing::TestParamInfo<LevelAndType>& test) {
  static const char* const kTypes[] = {"f32", "bf16", "f16"};
  return std::string(to_string(test.param.isa)) + "_" + kTypes[static_cast<int>(test.param.type)];
}

}  // namespace prismvid::nn::kernels

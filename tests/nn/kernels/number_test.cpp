#include "nn/kernels/number.h"

#include <gtest/gtest.h>

#include <cstring>

namespace prismvid::nn::kernels {
namespace {

TEST(Number, EveryHalfOfEitherFormatSurvivesARoundTrip) {
  for (NumberType type : {NumberType::kBfloat16, NumberType::kFloat16}) {
    for (int bits = 0; bits < 65536; ++bits) {
      const auto half = static_cast<std::uint16_t>(bits);
      const float value = load_number(&half, type, 0);
      std::uint16_t back;
      store_number(&back, type, 0, value);
      if (std::isnan(value))
        EXPECT_TRUE(std::isnan(load_number(&back, type, 0))) << bits;
      else
        ASSERT_EQ(back, half);
    }
  }
}

TEST(Number, RoundsHalfwayToEven) {
  std::uint16_t half;
  store_number(&half, NumberType::kBfloat16, 0, 1.0f + 0x1p-8f);
  EXPECT_EQ(half, 0x3f80);
  store_number(&half, NumberType::kBfloat16, 0, 1.0f + 3 * 0x1p-8f);
  EXPECT_EQ(half, 0x3f82);
  store_number(&half, NumberType::kFloat16, 0, 1.0f + 0x1p-11f);
  EXPECT_EQ(half, 0x3c00);
  store_number(&half, NumberType::kFloat16, 0, 65520.0f);
  EXPECT_EQ(half, 0x7c00);
}

}  // namespace
}  // namespace prismvid::nn::kernels

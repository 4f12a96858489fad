#include "nn/kernels/dense_linear.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <random>

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

struct Numbers {
  std::vector<std::uint8_t> bytes;
  NumberType type;

  Numbers(std::size_t count, NumberType number_type, unsigned seed)
      : bytes(count * byte_size(number_type)), type(number_type) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < count; ++i) store_number(bytes.data(), type, i, normal(random));
  }
  double operator[](std::size_t i) const { return load_number(bytes.data(), type, i); }
};

class DenseLinear : public testing::TestWithParam<std::tuple<Isa, NumberType>> {
 protected:
  void expect_close(int rows, int columns, int tokens, NumberType input_type) {
    const auto [isa, type] = GetParam();
    const Numbers w(std::size_t(rows) * columns, type, 1), b(rows, NumberType::kBfloat16, 2);
    const Numbers x(std::size_t(tokens) * columns, input_type, 3);
    const DenseMatrix matrix({w.bytes.data(), type, rows, columns, std::size_t(columns)},
                             b.bytes.data(), b.type, pool_);
    std::vector<float> y(std::size_t(tokens) * rows);
    dense_linear({kernel_table(isa), pool_}, matrix,
                 {x.bytes.data(), input_type, tokens, columns, std::size_t(columns)},
                 {y.data(), NumberType::kFloat32, tokens, rows, std::size_t(rows)});
    // bf16 rounds other input by up to 2^-9 of it; sums in f32 err by up to an epsilon a term.
    const bool rounds = (isa == Isa::kAvx512Bf16 || isa == Isa::kAmx) &&
                        type == NumberType::kBfloat16 && input_type != NumberType::kBfloat16;
    const double relative = (rounds ? 0x1p-9 : 0) + columns * double(FLT_EPSILON);
    for (int t = 0; t < tokens; ++t) {
      for (int row = 0; row < rows; ++row) {
        double want = b[row], size = std::abs(want);
        for (int k = 0; k < columns; ++k) {
          const double term = w[std::size_t(row) * columns + k] * x[std::size_t(t) * columns + k];
          want += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(y[std::size_t(t) * rows + row], want, relative * size)
            << rows << " x " << columns << ", token " << t << " of " << tokens << ", row " << row;
      }
    }
  }

  ThreadPool pool_{2};
};

TEST_P(DenseLinear, AgreesWithTheDefinitionForOddSizes) {
  for (int columns : {16, 48, 304, 1040})
    for (int rows : {1, 17, 70})
      for (int tokens : {1, 11, 25}) expect_close(rows, columns, tokens, NumberType::kFloat32);
}

TEST_P(DenseLinear, AgreesForEveryInputTypeAndMoreTokensThanOneRound) {
  for (NumberType type : {NumberType::kFloat32, NumberType::kBfloat16, NumberType::kFloat16})
    expect_close(20, 32, 250, type);
}

TEST_P(DenseLinear, RefusesHalfFloatsAndOddColumns) {
  const std::vector<float> w(400);
  EXPECT_THROW(DenseMatrix({w.data(), NumberType::kFloat16, 2, 16, 16}, nullptr, {}, pool_), Error);
  EXPECT_THROW(DenseMatrix({w.data(), NumberType::kFloat32, 2, 20, 20}, nullptr, {}, pool_), Error);
}

INSTANTIATE_TEST_SUITE_P(Levels, DenseLinear,
                         testing::Combine(testing::ValuesIn(supported_isas()),
                                          testing::Values(NumberType::kFloat32,
                                                          NumberType::kBfloat16)));

}  // namespace
}  // namespace prismvid::nn::kernels

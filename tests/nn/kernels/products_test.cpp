#include "nn/kernels/products.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/gated_linear.h"
#include "nn/kernels/packed_matrix.h"
#include "nn/kernels/quantized_linear.h"

namespace prismvid::nn::kernels {
namespace {

PackedMatrix random_matrix(int rows, int columns, ThreadPool& pool, const std::vector<float>& bias,
                           int bits = 4) {
  std::mt19937 random(rows);
  std::vector<std::uint32_t> words(std::size_t(rows) * columns * bits / 32);
  for (auto& word : words) word = random();
  const std::vector<float> scales(std::size_t(rows) * columns / 32, 0.02f);
  return PackedMatrix(
      {words.data(), scales.data(), scales.data(), NumberType::kFloat32, rows, columns, bits, 32},
      pool, bias.data());
}

class Products : public testing::TestWithParam<Isa> {};

TEST_P(Products, EqualThoseOneByOneForSharedAndOtherInputs) {
  ThreadPool pool(2);
  const Context context = {kernel_table(GetParam()), pool};
  const std::vector<float> bias(64, 0.5f);
  const PackedMatrix first = random_matrix(37, 64, pool, bias),
                     second = random_matrix(16, 64, pool, bias),
                     third = random_matrix(21, 96, pool, bias);
  for (int tokens : {1, 5, 13, 600}) {
    std::vector<float> x(tokens * 64), z(tokens * 96);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) - 8;
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = static_cast<float>(i % 13) - 6;
    const ConstRows narrow = {x.data(), NumberType::kFloat32, tokens, 64, 64},
                    wide = {z.data(), NumberType::kFloat32, tokens, 96, 96};
    constexpr int kStride = 80;  // the results side by side
    std::vector<float> got(tokens * kStride, -77.0f), want(got);
    const auto rows = [&](std::vector<float>& data, int column, int count) {
      return Rows{data.data() + column, NumberType::kFloat32, tokens, count, kStride};
    };
    const Product products[] = {{first.packed_blocks(), first.bias(), narrow, rows(got, 0, 37)},
                                {second.packed_blocks(), second.bias(), narrow, rows(got, 37, 16)},
                                {third.packed_blocks(), third.bias(), wide, rows(got, 53, 21)}};
    multiply_all(context, products, Precision::kFloat32);
    quantized_linear(context, first, narrow, rows(want, 0, 37), Precision::kFloat32);
    quantized_linear(context, second, narrow, rows(want, 37, 16), Precision::kFloat32);
    quantized_linear(context, third, wide, rows(want, 53, 21), Precision::kFloat32);
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], want[i], 1e-4) << tokens << " " << i;
  }
}

TEST_P(Products, MatricesOfOtherWidthsShareAnInput) {
  ThreadPool pool(2);
  const Context context = {kernel_table(GetParam()), pool};
  const std::vector<float> bias(32, 0.5f);
  const PackedMatrix matrices[] = {random_matrix(32, 64, pool, bias, 4),
                                   random_matrix(32, 64, pool, bias, 8),
                                   random_matrix(32, 64, pool, bias, 3)};
  for (int tokens : {1, 13}) {
    std::vector<float> x(tokens * 64);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) - 8;
    const ConstRows input = {x.data(), NumberType::kFloat32, tokens, 64, 64};
    std::vector<float> got(3 * tokens * 32), want(got);
    std::vector<Product> products;
    for (int i = 0; i < 3; ++i) {
      const auto rows = [&](std::vector<float>& data) {
        return Rows{&data[i * tokens * 32], NumberType::kFloat32, tokens, 32, 32};
      };
      products.push_back({matrices[i].packed_blocks(), matrices[i].bias(), input, rows(got)});
      quantized_linear(context, matrices[i], input, rows(want), Precision::kInt8);
    }
    multiply_all(context, products, Precision::kInt8);
    EXPECT_EQ(got, want) << tokens;
  }
}

TEST_P(Products, GateAndUpMayDifferInWidth) {
  ThreadPool pool(2);
  const Context context = {kernel_table(GetParam()), pool};
  const std::vector<float> bias(32, 0.25f), x(13 * 64, 0.75f);
  const PackedMatrix gate = random_matrix(32, 64, pool, bias, 4),
                     up = random_matrix(32, 64, pool, bias, 8);
  const ConstRows input = {x.data(), NumberType::kFloat32, 13, 64, 64};
  std::vector<float> got(13 * 32), want(got), ups(got);
  const auto rows = [&](std::vector<float>& data) {
    return Rows{data.data(), NumberType::kFloat32, 13, 32, 32};
  };
  gated_linear(context, gate, up, input, rows(got), Precision::kInt8);
  quantized_linear(context, gate, input, rows(want), Precision::kInt8);
  quantized_linear(context, up, input, rows(ups), Precision::kInt8);
  const ConstRows factors = read(rows(ups));
  activate(context, Activation::kSwiGlu, read(rows(want)), &factors, rows(want));
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], want[i], 1e-4 * std::abs(want[i]) + 1e-4) << i;
}

TEST_P(Products, GatedEqualsBothProductsAndTheActivation) {
  ThreadPool pool(2);
  const Context context = {kernel_table(GetParam()), pool};
  const std::vector<float> bias(560, 0.25f);
  for (int rows : {16, 37, 550}) {
    const PackedMatrix gate = random_matrix(rows, 64, pool, bias),
                       up = random_matrix(rows, 64, pool, std::vector<float>(560, -1.0f));
    for (int tokens : {1, 8, 13, 300}) {
      std::vector<float> x(tokens * 64);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) / 8 - 1;
      const ConstRows input = {x.data(), NumberType::kFloat32, tokens, 64, 64};
      std::vector<std::uint16_t> got(tokens * rows), want(got), ups(got);
      const auto rows_in = [&](std::vector<std::uint16_t>& data) {
        return Rows{data.data(), NumberType::kBfloat16, tokens, rows, std::size_t(rows)};
      };
      gated_linear(context, gate, up, input, rows_in(got), Precision::kInt8);
      quantized_linear(context, gate, input, rows_in(want), Precision::kInt8);
      quantized_linear(context, up, input, rows_in(ups), Precision::kInt8);
      const ConstRows factors = read(rows_in(ups));
      activate(context, Activation::kSwiGlu, read(rows_in(want)), &factors, rows_in(want));
      ASSERT_EQ(got, want) << rows << " " << tokens;
    }
  }
}

TEST_P(Products, GatedRefusesMatricesOfDifferentSizes) {
  ThreadPool pool(1);
  const std::vector<float> bias(64), x(64);
  std::vector<float> y(32);
  const PackedMatrix gate = random_matrix(32, 64, pool, bias),
                     up = random_matrix(16, 64, pool, bias);
  EXPECT_THROW(gated_linear({kernel_table(GetParam()), pool}, gate, up,
                            {x.data(), NumberType::kFloat32, 1, 64, 64},
                            {y.data(), NumberType::kFloat32, 1, 32, 32}, Precision::kInt8),
               Error);
}

TEST_P(Products, RefuseAnInputOfAnotherWidth) {
  ThreadPool pool(1);
  const std::vector<float> bias(16), x(96);
  std::vector<float> y(16);
  const PackedMatrix matrix = random_matrix(16, 64, pool, bias);
  const Product product = {matrix.packed_blocks(),
                           nullptr,
                           {x.data(), NumberType::kFloat32, 1, 96, 96},
                           {y.data(), NumberType::kFloat32, 1, 16, 16}};
  EXPECT_THROW(
      multiply_all({kernel_table(GetParam()), pool}, std::span(&product, 1), Precision::kInt8),
      Error);
}

INSTANTIATE_TEST_SUITE_P(Levels, Products, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return to_string(isa.param); });

}  // namespace
}  // namespace prismvid::nn::kernels

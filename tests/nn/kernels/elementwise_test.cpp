#include "nn/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>
#include <random>

#include "core/error.h"
#include "nn/kernels/level_and_type.h"

namespace prismvid::nn::kernels {
namespace {

/// Numbers with some that nobody may touch in front and behind.
struct Numbers {
  std::vector<std::uint8_t> bytes;
  NumberType type;
  int count;

  Numbers(NumberType number_type, int size, unsigned seed, float spread = 1, float centre = 0)
      : bytes((size + 2) * byte_size(number_type)), type(number_type), count(size) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(centre, spread);
    store_number(bytes.data(), type, 0, 77);
    for (int i = 0; i < count; ++i) set(i, normal(random));
    store_number(bytes.data(), type, count + 1, 77);
  }

  void* data() { return bytes.data() + byte_size(type); }
  double operator[](int i) const { return load_number(bytes.data(), type, i + 1); }
  void set(int i, float value) { store_number(bytes.data(), type, i + 1, value); }
  bool is_intact() const { return (*this)[-1] == 77 && (*this)[count] == 77; }
  Rows rows(int columns) {
    return {data(), type, count / columns, columns, static_cast<std::size_t>(columns)};
  }
  ConstRows read(int columns) {
    return {data(), type, count / columns, columns, static_cast<std::size_t>(columns)};
  }
};

class Elementwise : public testing::TestWithParam<LevelAndType> {
 protected:
  Context context() { return {kernel_table(GetParam().isa), pool_}; }

  static void expect_near(double got, double want, double size = 0) {
    static constexpr double kRounding[] = {4e-6, 0x1p-8, 0x1p-11};
    const double rounding = kRounding[static_cast<int>(GetParam().type)];
    ASSERT_NEAR(got, want, rounding * std::abs(want) + 4e-6 * size + 1e-6);
  }

  /// Of rows of `type`, written in the parameter's.
  void expect_norm_agrees(int columns, bool has_bias, NumberType type) {
    const int rows = 3;
    Numbers x(type, rows * columns, 1, 2, 1), y(GetParam().type, rows * columns, 2);
    Numbers weight(NumberType::kBfloat16, columns, 3), bias(NumberType::kBfloat16, columns, 4);
    normalize(context(), x.read(columns),
              {weight.data(), has_bias ? bias.data() : nullptr, weight.type, 1e-6f},
              y.rows(columns));
    EXPECT_TRUE(y.is_intact());
    for (int r = 0; r < rows; ++r) {
      double mean = 0, square = 0;
      for (int k = 0; has_bias && k < columns; ++k) mean += x[r * columns + k] / columns;
      for (int k = 0; k < columns; ++k) square += std::pow(x[r * columns + k] - mean, 2) / columns;
      for (int k = 0; k < columns; ++k) {
        const double whole = (x[r * columns + k] - mean) / std::sqrt(square + 1e-6);
        expect_near(y[r * columns + k], whole * weight[k] + (has_bias ? bias[k] : 0),
                    columns == 1 ? 1000 : std::abs(weight[k]) + 1);
      }
    }
  }

  ThreadPool pool_{2};
};

TEST_P(Elementwise, NormsAgreeForEveryWidth) {
  for (int columns : {1, 15, 16, 17, 64, 100, 1152, 4096})
    for (bool has_bias : {false, true})
      for (NumberType type : {GetParam().type, NumberType::kFloat32})
        expect_norm_agrees(columns, has_bias, type);
}

TEST_P(Elementwise, NormsShowNanAndKeepOtherRows) {
  Numbers x(GetParam().type, 2 * 40, 1), y(GetParam().type, 2 * 40, 2);
  Numbers weight(NumberType::kFloat32, 40, 3);
  x.set(5, NAN);
  for (const void* bias :
       {static_cast<const void*>(nullptr), static_cast<const void*>(weight.data())}) {
    normalize(context(), x.read(40), {weight.data(), bias, weight.type, 1e-6f}, y.rows(40));
    for (int k = 0; k < 40; ++k) {
      EXPECT_TRUE(std::isnan(y[k]));
      EXPECT_TRUE(std::isfinite(y[40 + k]));
    }
  }
}

TEST_P(Elementwise, RotationsAgreeWithAndWithoutNorm) {
  for (int head_dim : {2, 16, 36, 64, 72, 80, 128, 256}) {
    for (bool has_norm : {false, true}) {
      const int tokens = 3, heads = 2, half = head_dim / 2;
      Numbers x(GetParam().type, tokens * heads * head_dim, 1),
          weight(NumberType::kBfloat16, head_dim, 2);
      Numbers y(GetParam().type, tokens * heads * head_dim, 3);
      std::vector<float> cos(tokens * head_dim), sin(cos.size());
      for (std::size_t i = 0; i < cos.size(); ++i) {
        cos[i] = std::cos(0.3f * static_cast<float>(i));
        sin[i] = std::sin(0.3f * static_cast<float>(i));
      }
      const NormWeights norm = {weight.data(), nullptr, weight.type, 1e-6f};
      const Heads out = {y.data(),
                         y.type,
                         heads,
                         tokens,
                         head_dim,
                         static_cast<std::size_t>(tokens * head_dim),
                         static_cast<std::size_t>(head_dim)};
      rotate_heads(context(), x.read(heads * head_dim), has_norm ? &norm : nullptr,
                   {cos.data(), sin.data(), static_cast<std::size_t>(head_dim)}, out);
      EXPECT_TRUE(y.is_intact());
      for (int t = 0; t < tokens; ++t) {
        for (int h = 0; h < heads; ++h) {
          std::vector<double> v(head_dim);
          double square = 0;
          for (int d = 0; d < head_dim; ++d) {
            v[d] = x[(t * heads + h) * head_dim + d];
            square += v[d] * v[d] / head_dim;
          }
          for (int d = 0; has_norm && d < head_dim; ++d)
            v[d] *= weight[d] / std::sqrt(square + 1e-6);
          for (int d = 0; d < half; ++d) {
            const double c = cos[t * head_dim + d], s = sin[t * head_dim + d];
            const double size = std::abs(v[d]) + std::abs(v[d + half]);
            const int at = (h * tokens + t) * head_dim + d;
            expect_near(y[at], v[d] * c - v[d + half] * s, size);
            expect_near(y[at + half], v[d + half] * c + v[d] * s, size);
          }
        }
      }
    }
  }
}

TEST_P(Elementwise, ActivationsAgreeFromTinyToHuge) {
  std::vector<float> values;
  for (float size :
       {0.0f, 1e-30f, 1e-3f, 0.1f, 0.5f, 1.0f, 2.0f, 4.0f, 6.0f, 20.0f, 90.0f, 200.0f, 1e4f})
    for (float sign : {1.0f, -1.0f}) values.push_back(sign * size);
  const int count = static_cast<int>(values.size());
  Numbers x(GetParam().type, count, 1), up(GetParam().type, count, 2), y(GetParam().type, count, 3);
  for (int i = 0; i < count; ++i) x.set(i, values[i]);
  const auto run = [&](Activation activation, auto want) {
    const ConstRows second = up.read(count);
    activate(context(), activation, x.read(count),
             activation == Activation::kSwiGlu ? &second : nullptr, y.rows(count));
    EXPECT_TRUE(y.is_intact());
    for (int i = 0; i < count; ++i) expect_near(y[i], want(x[i], up[i]), 0.1);
  };
  run(Activation::kSwiGlu, [](double v, double u) { return v / (1 + std::exp(-v)) * u; });
  run(Activation::kGelu, [](double v, double) { return v / 2 * std::erfc(-v * std::sqrt(0.5)); });
  run(Activation::kGeluTanh, [](double v, double) {
    return v / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  });
}

TEST_P(Elementwise, ActivationsKeepNan) {
  Numbers x(GetParam().type, 20, 1), y(GetParam().type, 20, 3);
  x.set(17, NAN);
  for (Activation activation : {Activation::kGelu, Activation::kGeluTanh}) {
    activate(context(), activation, x.read(20), nullptr, y.rows(20));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(std::isnan(y[i]), i == 17);
  }
}

TEST_P(Elementwise, ManyRowsAreSharedByThreads) {
  Numbers x(GetParam().type, 300 * 128, 1), y(GetParam().type, 300 * 128, 3);
  activate(context(), Activation::kGeluTanh, x.read(128), nullptr, y.rows(128));
  for (int i : {0, 127, 128 * 64, 128 * 150 + 3, 300 * 128 - 1})
    expect_near(
        y[i],
        x[i] / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x[i] + 0.044715 * std::pow(x[i], 3)))),
        0.1);
}

INSTANTIATE_TEST_SUITE_P(Levels, Elementwise, testing::ValuesIn(levels_and_types()),
                         level_and_type);

}  // namespace
}  // namespace prismvid::nn::kernels

#include "nn/kernels/quantized_linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <deque>
#include <random>

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

enum class Biases { kAny, kWholeScales };

/// A matrix in MLX's layout, packed here bit by bit, and its weights in double. Biases of whole
/// scales are rounded as mx.quantize's.
struct RandomMatrix {
  std::vector<std::uint32_t> words;
  std::vector<std::uint8_t> scales, biases;
  std::vector<double> weights;
  QuantizedMatrixView view;

  RandomMatrix(int rows, int columns, int bits, int group_size, NumberType type, unsigned seed = 1,
               Biases kind = Biases::kAny) {
    std::mt19937 random(seed);
    const int groups = columns / group_size, top = (1 << bits) - 1;
    words.resize(std::size_t(rows) * columns * bits / 32);
    scales.resize(std::size_t(rows) * groups * byte_size(type));
    biases = scales;
    for (int row = 0; row < rows; ++row) {
      for (int k = 0; k < columns; ++k) {
        const std::size_t group = std::size_t(row) * groups + k / group_size;
        if (k % group_size == 0) {
          const float scale = std::uniform_real_distribution<float>(0.5f, 1.5f)(random) / top;
          const float sign = kind == Biases::kWholeScales && random() % 2 ? -1.0f : 1.0f;
          const auto number = static_cast<float>(random() % (top + 1));
          store_number(scales.data(), type, group, sign * scale);
          store_number(biases.data(), type, group,
                       kind == Biases::kAny ? -scale * top * 0.47f : -sign * scale * number);
        }
        const std::uint32_t value = random() & top;
        put(std::size_t(row) * columns * bits + std::size_t(k) * bits, bits, value);
        weights.push_back(double(load_number(scales.data(), type, group)) * value +
                          load_number(biases.data(), type, group));
      }
    }
    view = {words.data(), scales.data(), biases.data(), type, rows, columns, bits, group_size};
  }

 private:
  void put(std::size_t bit, int bits, std::uint32_t value) {
    for (int i = 0; i < bits; ++i, ++bit) words[bit / 32] |= ((value >> i) & 1u) << (bit % 32);
  }
};

struct Case {
  const KernelTable* table;
  Precision precision;
};

/// The levels as this processor takes them, and those that can multiply sums both with and without
/// doing so.
std::vector<const KernelTable*> tables() {
  static std::deque<KernelTable> others;
  std::vector<const KernelTable*> all;
  for (Isa isa : supported_isas()) {
    all.push_back(&kernel_table(isa));
#if defined(__x86_64__)
    if (isa != Isa::kAvx512 && isa != Isa::kAvx512Bf16) continue;
    others.push_back(isa == Isa::kAvx512 ? avx512_kernels() : avx512_bf16_kernels());
    if (all.back()->multiply_sums[0]) std::fill_n(others.back().multiply_sums, 2, nullptr);
    all.push_back(&others.back());
#endif
  }
  return all;
}

std::vector<Case> cases() {
  static const std::vector<const KernelTable*> all_tables = tables();
  std::vector<Case> all;
  for (const KernelTable* table : all_tables)
    for (Precision precision : {Precision::kInt8, Precision::kFull, Precision::kFloat32})
      all.push_back({table, precision});
  return all;
}

class QuantizedLinear : public testing::TestWithParam<Case> {
 protected:
  std::vector<float> run(const RandomMatrix& matrix, const std::vector<float>& x, int tokens) {
    const PackedMatrix packed(matrix.view, pool_);
    std::vector<float> y(std::size_t(tokens) * packed.rows(), -77.0f);
    quantized_linear(
        {*GetParam().table, pool_}, packed,
        {x.data(), NumberType::kFloat32, tokens, packed.columns(), std::size_t(packed.columns())},
        {y.data(), NumberType::kFloat32, tokens, packed.rows(), std::size_t(packed.rows())},
        GetParam().precision);
    return y;
  }

  /// What rounding the activations and summing in f32 may cost at most; `most` is the largest
  /// activation of a group: half a step of most / 127, or 120 where sums are multiplied, of a 254th
  /// or 240th of that where an activation is two bytes.
  double allowed(double weight, double x, double most) const {
    const double summing = 64 * FLT_EPSILON * (std::abs(weight * x) + std::abs(most));
    if (GetParam().table->isa == Isa::kPortable) return summing;
    const int steps = GetParam().table->multiply_sums[0] ? 120 : 127;
    if (GetParam().precision == Precision::kInt8)
      return std::abs(weight) * most / steps * 0.501 + summing;
    const bool has_two_bytes =
        GetParam().precision == Precision::kFull && is_x86(GetParam().table->isa);
    return has_two_bytes ? std::abs(weight) * most / (2 * steps * steps) * 0.51 + summing : summing;
  }

  void expect_close(const RandomMatrix& m, const std::vector<float>& x, int tokens) {
    const std::vector<float> y = run(m, x, tokens);
    const int columns = m.view.columns;
    for (int t = 0; t < tokens; ++t) {
      for (int row = 0; row < m.view.rows; ++row) {
        double want = 0, tolerance = 0, most = 0;
        for (int k = 0; k < columns; ++k) {
          const float* xt = &x[std::size_t(t) * columns];
          if (k % m.view.group_size == 0) {
            most = 0;
            for (int i = 0; i < m.view.group_size; ++i)
              most = std::max(most, std::abs(double(xt[k + i])));
          }
          const double w = m.weights[std::size_t(row) * columns + k];
          want += w * xt[k];
          tolerance += allowed(w, xt[k], most);
        }
        ASSERT_NEAR(y[std::size_t(t) * m.view.rows + row], want, tolerance)
            << "token " << t << " of " << tokens << " row " << row << " bits " << m.view.bits
            << " group " << m.view.group_size << " columns " << columns;
      }
    }
  }

  static std::vector<float> activations(int tokens, int columns, float size = 1.0f) {
    std::mt19937 random(tokens * 31 + columns);
    std::normal_distribution<float> normal(0, size);
    std::vector<float> x(std::size_t(tokens) * columns);
    for (float& value : x) value = normal(random);
    return x;
  }

  ThreadPool pool_{2};
};

TEST_P(QuantizedLinear, AgreesWithTheDefinitionForEveryWidthAndGroup) {
  for (int bits : {2, 3, 4, 5, 6, 8})
    for (int group : {32, 64, 128})
      for (int tokens : {1, 5, 29})
        expect_close(RandomMatrix(37, 384, bits, group, NumberType::kBfloat16),
                     activations(tokens, 384), tokens);
}

TEST_P(QuantizedLinear, AgreesWhereBiasesAreWholeScales) {
  for (int bits : {2, 3, 4, 5, 8})
    for (int group : {32, 64, 128})
      for (int tokens : {1, 5, 29})
        expect_close(
            RandomMatrix(37, 384, bits, group, NumberType::kBfloat16, 3, Biases::kWholeScales),
            activations(tokens, 384), tokens);
}

TEST_P(QuantizedLinear, AgreesForEveryNumberOfTokensOfATile) {
  const RandomMatrix matrix(16, 1280, 4, 64, NumberType::kBfloat16);
  for (int tokens = 1; tokens <= 34; ++tokens)
    expect_close(matrix, activations(tokens, 1280), tokens);
}

TEST_P(QuantizedLinear, AgreesForMoreTokensThanOneRound) {
  expect_close(RandomMatrix(19, 64, 3, 32, NumberType::kBfloat16), activations(501, 64), 501);
}

TEST_P(QuantizedLinear, AgreesForEveryScaleType) {
  for (NumberType type : {NumberType::kFloat32, NumberType::kFloat16, NumberType::kBfloat16})
    for (int tokens : {1, 7, 9})
      expect_close(RandomMatrix(33, 192, 4, 64, type), activations(tokens, 192), tokens);
}

TEST_P(QuantizedLinear, AgreesForSmallLargeAndEmptyActivations) {
  for (const auto& [bits, tokens] : {std::pair{8, 3}, {4, 13}}) {
    const RandomMatrix matrix(20, 256, bits, 64, NumberType::kBfloat16);
    for (float size : {0.0f, 1e-20f, 1e20f})
      expect_close(matrix, activations(tokens, 256, size), tokens);
    std::vector<float> outlier = activations(tokens, 256);
    outlier[70] = 4000.0f;
    expect_close(matrix, outlier, tokens);
  }
}

TEST_P(QuantizedLinear, LargestWeightsAndActivationsDoNotOverflow) {
  for (int bits : {2, 3, 4, 5, 6, 8})
    for (int group : {32, 64, 128}) {
      RandomMatrix matrix(16, 128, bits, group, NumberType::kFloat32);
      std::fill(matrix.words.begin(), matrix.words.end(), ~0u);
      for (std::size_t i = 0; i < matrix.weights.size(); ++i)
        matrix.weights[i] = double((1 << bits) - 1) *
                                load_number(matrix.view.scales, NumberType::kFloat32, i / group) +
                            load_number(matrix.view.biases, NumberType::kFloat32, i / group);
      for (float value : {1.0f, -1.0f})
        for (int tokens : {1, 6, 30})
          expect_close(matrix, std::vector<float>(tokens * 128, value), tokens);
    }
}

TEST_P(QuantizedLinear, AnInfinityOrNanStaysInItsTokenAndIsSeen) {
  const RandomMatrix matrix(40, 128, 4, 64, NumberType::kBfloat16);
  for (int tokens : {3, 9}) {
    for (float bad : {INFINITY, -INFINITY, NAN}) {
      std::vector<float> x = activations(tokens, 128);
      x[128 + 65] = bad;
      const std::vector<float> y = run(matrix, x, tokens);
      for (int t = 0; t < tokens; ++t)
        for (int row = 0; row < 40; ++row)
          ASSERT_EQ(std::isfinite(y[t * 40 + row]), t != 1) << t << " " << row;
    }
  }
}

TEST_P(QuantizedLinear, RoundingTheActivationsCostsLessThanAPercent) {
  const RandomMatrix matrix(64, 2048, 4, 64, NumberType::kBfloat16);
  for (int tokens : {4, 20}) {
    const std::vector<float> x = activations(tokens, 2048), y = run(matrix, x, tokens);
    double error = 0, size = 0;
    for (int t = 0; t < tokens; ++t)
      for (int row = 0; row < 64; ++row) {
        double want = 0;
        for (int k = 0; k < 2048; ++k) want += matrix.weights[row * 2048 + k] * x[t * 2048 + k];
        error += std::pow(y[t * 64 + row] - want, 2);
        size += want * want;
      }
    EXPECT_LT(std::sqrt(error / size), GetParam().precision == Precision::kInt8 ? 0.01 : 0.003)
        << tokens;
  }
}

TEST_P(QuantizedLinear, ManyBfloat16ActivationsCostAtMostTheirWeightsRounding) {
  if (GetParam().precision == Precision::kInt8) GTEST_SKIP() << "rounds activations too";
  const RandomMatrix matrix(37, 384, 4, 64, NumberType::kBfloat16);
  const PackedMatrix packed(matrix.view, pool_);
  const std::vector<float> numbers = activations(50, 384);
  std::vector<std::uint16_t> x(numbers.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    store_number(x.data(), NumberType::kBfloat16, i, numbers[i]);
  std::vector<float> y(50 * 37);
  quantized_linear({*GetParam().table, pool_}, packed,
                   {x.data(), NumberType::kBfloat16, 50, 384, 384},
                   {y.data(), NumberType::kFloat32, 50, 37, 37}, GetParam().precision);
  for (int t = 0; t < 50; ++t)
    for (int row = 0; row < 37; ++row) {
      double want = 0, size = 0;
      for (int k = 0; k < 384; ++k) {
        const double term = matrix.weights[row * 384 + k] *
                            load_number(x.data(), NumberType::kBfloat16, t * 384 + k);
        want += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(y[t * 37 + row], want, size * 0x1.02p-9) << t << " " << row;
    }
}

TEST_P(QuantizedLinear, ReadsAndWritesHalvesAtOddPlacesWithStrides) {
  const RandomMatrix matrix(21, 64, 5, 32, NumberType::kFloat16);
  const PackedMatrix packed(matrix.view, pool_);
  for (NumberType type : {NumberType::kBfloat16, NumberType::kFloat16}) {
    std::vector<std::uint16_t> x(3 * 67 + 1), y(3 * 25 + 1, 0x1234);
    for (int t = 0; t < 3; ++t)
      for (int k = 0; k < 64; ++k)
        store_number(x.data(), type, 1 + t * 67 + k, 0.01f * (k % 9) + t);
    quantized_linear({*GetParam().table, pool_}, packed, {x.data() + 1, type, 3, 64, 67},
                     {y.data() + 1, type, 3, 21, 25}, GetParam().precision);
    for (int t = 0; t < 3; ++t) {
      for (int row = 0; row < 21; ++row) {
        double want = 0, size = 0;
        for (int k = 0; k < 64; ++k) {
          const double term =
              matrix.weights[row * 64 + k] * load_number(x.data(), type, 1 + t * 67 + k);
          want += term;
          size += std::abs(term);
        }
        ASSERT_NEAR(load_number(y.data(), type, 1 + t * 25 + row), want, size * 0.02);
      }
      for (int row = 21; row < 25; ++row) EXPECT_EQ(y[1 + t * 25 + row], 0x1234);
    }
  }
}

TEST_P(QuantizedLinear, AddsWhatIsGivenBeforeRounding) {
  const RandomMatrix matrix(37, 64, 4, 64, NumberType::kBfloat16);
  const PackedMatrix packed(matrix.view, pool_);
  const Context context = {*GetParam().table, pool_};
  for (int tokens : {1, 5, 25}) {
    const std::vector<float> x = activations(tokens, 64), plain = run(matrix, x, tokens);
    std::vector<float> y(std::size_t(tokens) * 37);
    std::vector<std::uint16_t> added(std::size_t(tokens) * 40);
    for (std::size_t i = 0; i < added.size(); ++i)
      store_number(added.data(), NumberType::kBfloat16, i, static_cast<float>(i % 13) - 6);
    const ConstRows addend = {added.data(), NumberType::kBfloat16, tokens, 37, 40};
    quantized_linear(context, packed, {x.data(), NumberType::kFloat32, tokens, 64, 64},
                     {y.data(), NumberType::kFloat32, tokens, 37, 37}, GetParam().precision,
                     &addend);
    for (int t = 0; t < tokens; ++t)
      for (int row = 0; row < 37; ++row)
        ASSERT_NEAR(y[t * 37 + row],
                    plain[t * 37 + row] + static_cast<float>((t * 40 + row) % 13) - 6, 1e-4);
  }
}

std::string case_name(const testing::TestParamInfo<Case>& test) {
  static const char* const kNames[] = {"_int8", "_full", "_f32"};
  const KernelTable& table = *test.param.table;
  const bool is_chosen = &table == &kernel_table(table.isa);
  return to_string(table.isa) + std::string(kNames[static_cast<int>(test.param.precision)]) +
         (is_chosen                ? ""
          : table.multiply_sums[0] ? "_with_sums"
                                   : "_without_sums");
}

INSTANTIATE_TEST_SUITE_P(Levels, QuantizedLinear, testing::ValuesIn(cases()), case_name);

TEST(PackedMatrix, TakesAsManyBytesAsTheOriginal) {
  ThreadPool pool(1);
  const RandomMatrix matrix(64, 256, 3, 64, NumberType::kBfloat16);
  EXPECT_EQ(PackedMatrix(matrix.view, pool).bytes(), 64u * 256 * 3 / 8 + 2 * 64 * 4 * 2);
}

TEST(PackedMatrix, KeepsBiasesOfWholeScalesInAByteAndExactly) {
  ThreadPool pool(2);
  for (int bits : {2, 3, 4}) {
    const RandomMatrix matrix(37, 256, bits, 64, NumberType::kBfloat16, 5, Biases::kWholeScales);
    const PackedMatrix packed(matrix.view, pool);
    EXPECT_EQ(packed.bytes(), 48u * (256 * bits / 8 + 3 * 256 / 64));
    std::vector<float> weights(256);
    for (int row = 0; row < 37; ++row) {
      dequantize_packed_row(packed.packed_blocks(), row, weights.data());
      for (int k = 0; k < 256; ++k)
        ASSERT_EQ(weights[k], static_cast<float>(matrix.weights[row * 256 + k])) << row << " " << k;
    }
  }
}

TEST(PackedMatrix, KeepsOtherBiasesAsTheyAre) {
  ThreadPool pool(1);
  RandomMatrix matrix(16, 64, 4, 64, NumberType::kBfloat16, 5, Biases::kWholeScales);
  for (float bias : {0.3f, INFINITY, NAN}) {
    store_number(matrix.biases.data(), NumberType::kBfloat16, 7, bias);
    EXPECT_EQ(PackedMatrix(matrix.view, pool).bytes(), 16u * (32 + 4));
  }
}

TEST(BiasCode, TellsWhatRoundingLeftOfAWholeNumberOfScales) {
  EXPECT_EQ(coded_bias(0.5f, *bias_code(0.5f, -3.5f)), -3.5f);
  EXPECT_EQ(coded_bias(-0.5f, *bias_code(-0.5f, 3.515625f)), 3.515625f);
  EXPECT_EQ(coded_bias(0.5f, *bias_code(0.5f, 0.0f)), 0.0f);
  EXPECT_EQ(bias_code(0.5f, 0.5f), std::nullopt);
  EXPECT_EQ(bias_code(0.5f, -3.7f), std::nullopt);
  EXPECT_EQ(bias_code(0.5f, -16.0f), std::nullopt);
  EXPECT_EQ(bias_code(0.0f, -1.0f), std::nullopt);
  EXPECT_EQ(bias_code(NAN, -1.0f), std::nullopt);
}

TEST(PackedMatrix, RefusesWhatItDoesNotKnow) {
  ThreadPool pool(1);
  const auto refuses = [&](auto change) {
    RandomMatrix matrix(16, 128, 4, 64, NumberType::kBfloat16);
    change(matrix.view);
    EXPECT_THROW(PackedMatrix(matrix.view, pool), Error);
  };
  refuses([](auto& view) { view.bits = 7; });
  refuses([](auto& view) { view.group_size = 16; });
  refuses([](auto& view) { view.columns = 100; });
  refuses([](auto& view) { view.rows = 0; });
  refuses([](auto& view) { view.scales = nullptr; });
}

}  // namespace
}  // namespace prismvid::nn::kernels

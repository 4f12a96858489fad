#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "nn/kernels/attention.h"
#include "nn/kernels/level_and_type.h"

namespace prismvid::nn::kernels {
namespace {

/// Heads of random groups with room between tokens and heads, and the numbers that they stand for.
struct RandomQuantized {
  std::vector<std::uint32_t> words;
  std::vector<std::uint8_t> scales, biases;
  std::vector<float> numbers;  // (heads, tokens, head_dim)
  ConstQuantizedHeads view{};

  RandomQuantized(NumberType type, int bits, int group, int heads, int tokens, int head_dim,
                  unsigned seed) {
    const int in_word = 32 / bits, row_words = head_dim / in_word + 3, groups = head_dim / group,
              row_scales = groups + 1;
    std::mt19937 random(seed);
    words.resize(static_cast<std::size_t>(heads) * tokens * row_words);
    for (auto& word : words) word = random();
    const std::size_t count = static_cast<std::size_t>(heads) * tokens * row_scales;
    scales.resize(count * byte_size(type));
    biases.resize(count * byte_size(type));
    std::uniform_real_distribution<float> size(0.5f, 1.5f);
    for (std::size_t i = 0; i < count; ++i) {
      store_number(scales.data(), type, i, size(random) / static_cast<float>(1 << (bits - 1)));
      store_number(biases.data(), type, i, -size(random));
    }
    for (int row = 0; row < heads * tokens; ++row)
      for (int d = 0; d < head_dim; ++d) {
        const std::uint32_t word = words[static_cast<std::size_t>(row) * row_words + d / in_word];
        const std::uint32_t q = word >> (d % in_word * bits) & ((1u << bits) - 1);
        const std::size_t at = static_cast<std::size_t>(row) * row_scales + d / group;
        numbers.push_back(static_cast<float>(q) * load_number(scales.data(), type, at) +
                          load_number(biases.data(), type, at));
      }
    const auto wide = [](int value) { return static_cast<std::size_t>(value); };
    view = {{words.data(), scales.data(), biases.data(), type, bits, group, wide(row_words),
             wide(row_scales)},
            heads,
            tokens,
            head_dim,
            wide(tokens) * row_words,
            wide(tokens) * row_scales};
  }

  double get(int head, int token, int d) const {
    return numbers[(static_cast<std::size_t>(head) * view.tokens + token) * view.head_dim + d];
  }
};

struct Sizes {
  int heads, key_heads, queries, keys, head_dim, bits;
  int group = 32;
  bool causal = true;
};

class QuantizedAttention : public testing::TestWithParam<LevelAndType> {
 protected:
  struct Problem {
    std::vector<std::uint8_t> queries, output;
    RandomQuantized keys, values;
    QuantizedAttentionInputs inputs;
    Heads out;
  };

  static Problem problem(const Sizes& s) {
    const NumberType type = GetParam().type;
    const std::size_t count = static_cast<std::size_t>(s.heads) * s.queries * s.head_dim;
    Problem p{std::vector<std::uint8_t>(count * byte_size(type)),
              std::vector<std::uint8_t>(count * byte_size(type)),
              RandomQuantized(type, s.bits, s.group, s.key_heads, s.keys, s.head_dim, 2),
              RandomQuantized(type, s.bits, s.group, s.key_heads, s.keys, s.head_dim, 3),
              {},
              {}};
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < count; ++i) store_number(p.queries.data(), type, i, normal(random));
    const auto head_stride = static_cast<std::size_t>(s.queries) * s.head_dim,
               token_stride = static_cast<std::size_t>(s.head_dim);
    p.inputs = {{p.queries.data(), type, s.heads, s.queries, s.head_dim, head_stride, token_stride},
                p.keys.view,
                p.values.view,
                1 / std::sqrt(static_cast<float>(s.head_dim)),
                s.causal};
    p.out = {p.output.data(), type, s.heads, s.queries, s.head_dim, head_stride, token_stride};
    return p;
  }

  void run(const Problem& p) {
    quantized_attention({kernel_table(GetParam().isa), pool_}, p.inputs, p.out);
  }

  void expect_close(const Sizes& s) {
    const Problem p = problem(s);
    run(p);
    const double precision = GetParam().type == NumberType::kFloat32    ? 3e-5
                             : GetParam().type == NumberType::kBfloat16 ? 0x1p-6
                                                                        : 0x1p-9;
    for (int head = 0; head < s.heads; ++head)
      for (int query = 0; query < s.queries; ++query) {
        const int key_head = head / (s.heads / s.key_heads);
        const int seen = s.causal ? s.keys - s.queries + query + 1 : s.keys;
        const auto at = (static_cast<std::size_t>(head) * s.queries + query) * s.head_dim;
        std::vector<double> shares(seen);
        double total = 0;
        for (int k = 0; k < seen; ++k) {
          for (int d = 0; d < s.head_dim; ++d)
            shares[k] += load_number(p.queries.data(), GetParam().type, at + d) *
                         p.keys.get(key_head, k, d) * p.inputs.scale;
          total += shares[k] = std::exp(shares[k]);
        }
        for (int d = 0; d < s.head_dim; ++d) {
          double want = 0, size = 0;
          for (int k = 0; k < seen; ++k) {
            want += shares[k] / total * p.values.get(key_head, k, d);
            size += shares[k] / total * std::abs(p.values.get(key_head, k, d));
          }
          ASSERT_NEAR(load_number(p.output.data(), GetParam().type, at + d), want,
                      size * precision + 1e-6)
              << "head " << head << " query " << query << " of " << s.queries << " keys " << s.keys
              << " bits " << s.bits;
        }
      }
  }

  ThreadPool pool_{2};
};

TEST_P(QuantizedAttention, AgreesForEveryHeadSizeAndGroup) {
  for (int bits : {4, 8})
    for (int head_dim : {32, 64, 128, 256})
      for (int group : {32, 64, 128})
        for (int queries : {1, 21})
          if (head_dim % group == 0)
            expect_close({2, 1, queries, 33, head_dim, bits, group, queries == 1});
}

TEST_P(QuantizedAttention, AgreesForEveryLengthAroundABlock) {
  for (int bits : {4, 8})
    for (int keys : {1, 16, 63, 64, 65, 129, 300})
      for (int queries : {1, 2, 8, 16, 17, 49})
        if (queries <= keys) expect_close({2, 2, queries, keys, 64, bits});
}

TEST_P(QuantizedAttention, AgreesForEveryNumberOfHeadsThatShareKeys) {
  for (int bits : {4, 8})
    for (int shared : {1, 2, 7, 17})
      for (int queries : {1, 3, 9}) expect_close({2 * shared, 2, queries, 70, 64, bits});
}

TEST_P(QuantizedAttention, RefusesWhatDoesNotFit) {
  const auto refuses = [&](auto change) {
    Problem p = problem({4, 2, 3, 5, 64, 8});
    change(p);
    EXPECT_THROW(run(p), Error);
  };
  refuses([](Problem& p) { p.inputs.keys.rows.bits = 3; });
  refuses([](Problem& p) { p.inputs.values.rows.group_size = 48; });
  refuses([](Problem& p) { p.inputs.keys.heads = 3; });
  refuses([](Problem& p) { p.inputs.values.tokens = 4; });
  refuses([](Problem& p) { p.out.tokens = 2; });
}

INSTANTIATE_TEST_SUITE_P(Levels, QuantizedAttention, testing::ValuesIn(levels_and_types()),
                         level_and_type);

}  // namespace
}  // namespace prismvid::nn::kernels

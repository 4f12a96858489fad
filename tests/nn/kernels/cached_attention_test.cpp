#include "nn/kernels/cached_attention.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "level_and_type.h"

namespace prismvid::nn::kernels {
namespace {

constexpr int kHeads = 6, kKeyHeads = 2, kDim = 64, kRoom = 90;
constexpr int kWidth = (kHeads + 2 * kKeyHeads) * kDim;

/// Numbers of a type with their memory.
struct Numbers {
  NumberType type;
  std::vector<std::uint8_t> bytes;

  Numbers(NumberType of, std::size_t count, unsigned seed)
      : type(of), bytes(count * byte_size(of)) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < count; ++i) store_number(bytes.data(), type, i, normal(random));
  }
  float at(std::size_t i) const { return load_number(bytes.data(), type, i); }
  std::size_t size() const { return bytes.size() / byte_size(type); }
};

/// A sequence's keys and values, of which the last `tokens` are still missing.
struct Sequence {
  int known, tokens;
  Numbers keys, values;

  Sequence(NumberType type, int in_cache, int missing, unsigned seed)
      : known(in_cache),
        tokens(missing),
        keys(type, kKeyHeads * kRoom * kDim, seed),
        values(type, kKeyHeads * kRoom * kDim, seed + 1) {}

  Heads heads(Numbers& numbers) const {
    return {numbers.bytes.data(), numbers.type, kKeyHeads, known + tokens, kDim,
            kRoom * kDim,         kDim};
  }
};

class CachedAttentionOf : public testing::TestWithParam<LevelAndType> {
 protected:
  ThreadPool pool_{2};
  Context context_ = {kernel_table(GetParam().isa), pool_};
  Numbers query_norm_{NumberType::kBfloat16, kDim, 90}, key_norm_{NumberType::kBfloat16, kDim, 91};

  NormWeights norm(const Numbers& weights) const {
    return {weights.bytes.data(), nullptr, weights.type, 1e-6f};
  }
};

ConstHeads read(const Heads& h) {
  return {h.data, h.type, h.heads, h.tokens, h.head_dim, h.head_stride, h.token_stride};
}

TEST_P(CachedAttentionOf, EqualsNormTurnCopyAndAttentionOneAfterTheOther) {
  const NumberType type = GetParam().type;
  std::vector<Sequence> together, apart;
  int tokens = 0;
  for (auto [known, count] : {std::pair{70, 1}, {3, 1}, {65, 9}, {0, 4}, {40, 2}}) {
    together.emplace_back(type, known, count, 7 + tokens);
    tokens += count;
  }
  apart = together;
  const Numbers cos(NumberType::kFloat32, tokens * kDim / 2, 3),
      sin(NumberType::kFloat32, tokens * kDim / 2, 4);
  const auto turns_from = [&](int row) {
    const auto at = [&](const Numbers& n) {
      return reinterpret_cast<const float*>(n.bytes.data()) + row * kDim / 2;
    };
    return Turns{at(cos), at(sin), kDim / 2};
  };
  const Numbers projected(type, tokens * kWidth, 5);
  Numbers got(type, tokens * kHeads * kDim, 6), want = got, turned = projected;

  std::vector<CachedPart> parts;
  for (Sequence& s : together) parts.push_back({s.tokens, s.heads(s.keys), s.heads(s.values)});
  attend_cached(context_,
                {{turned.bytes.data(), type, tokens, kWidth, kWidth},
                 kHeads,
                 norm(query_norm_),
                 norm(key_norm_),
                 turns_from(0),
                 parts,
                 0.125f},
                {got.bytes.data(), type, tokens, kHeads * kDim, kHeads * kDim});

  int row = 0;
  for (Sequence& s : apart) {
    const auto columns = [&](int first, int heads) {
      return ConstRows{projected.bytes.data() + (row * kWidth + first * kDim) * byte_size(type),
                       type, s.tokens, heads * kDim, kWidth};
    };
    const auto new_tokens = [&](Numbers& numbers) {
      Heads heads = s.heads(numbers);
      heads.data = at(heads, 0, s.known);
      heads.tokens = s.tokens;
      return heads;
    };
    Numbers queries(type, s.tokens * kHeads * kDim, 1);
    const Heads q = {queries.bytes.data(), type, kHeads, s.tokens, kDim, kDim, kHeads * kDim};
    const NormWeights q_norm = norm(query_norm_), k_norm = norm(key_norm_);
    rotate_heads(context_, columns(0, kHeads), &q_norm, turns_from(row), q);
    rotate_heads(context_, columns(kHeads, kKeyHeads), &k_norm, turns_from(row),
                 new_tokens(s.keys));
    const Heads v = new_tokens(s.values);
    for (int t = 0; t < s.tokens; ++t)
      for (int h = 0; h < kKeyHeads; ++h)
        for (int d = 0; d < kDim; ++d)
          store_number(at(v, h, t), type, d,
                       projected.at((row + t) * kWidth + (kHeads + kKeyHeads + h) * kDim + d));
    attention(context_, {read(q), read(s.heads(s.keys)), read(s.heads(s.values)), 0.125f, true},
              {want.bytes.data() + row * kHeads * kDim * byte_size(type), type, kHeads, s.tokens,
               kDim, kDim, kHeads * kDim});
    row += s.tokens;
  }
  for (std::size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i].keys.bytes, apart[i].keys.bytes) << i;
    EXPECT_EQ(together[i].values.bytes, apart[i].values.bytes) << i;
  }
  // Many rows of bf16 are multiplied as bf16 by attention().
  const float tolerance = type == NumberType::kFloat32 ? 2e-5f : 0.03f;
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got.at(i), want.at(i), tolerance) << i;
}

TEST_P(CachedAttentionOf, RefusesWhatDoesNotFit) {
  const NumberType type = GetParam().type;
  Sequence s(type, 5, 2, 1);
  Numbers projected(type, 3 * kWidth, 5), out(type, 3 * kHeads * kDim, 6);
  const std::vector<float> turns(3 * kDim / 2);
  const auto run = [&](int rows, int heads, int known) {
    Heads keys = s.heads(s.keys);
    keys.tokens = known + s.tokens;
    const CachedPart part = {s.tokens, keys, s.heads(s.values)};
    attend_cached(context_,
                  {{projected.bytes.data(), type, rows, kWidth, kWidth},
                   heads,
                   norm(query_norm_),
                   norm(key_norm_),
                   {turns.data(), turns.data(), kDim / 2},
                   std::span(&part, 1),
                   0.125f},
                  {out.bytes.data(), type, rows, kHeads * kDim, kHeads * kDim});
  };
  EXPECT_NO_THROW(run(2, kHeads, 5));
  EXPECT_THROW(run(3, kHeads, 5), Error);
  EXPECT_THROW(run(2, 5, 5), Error);
  EXPECT_THROW(run(2, kHeads, 4), Error);
}

INSTANTIATE_TEST_SUITE_P(Levels, CachedAttentionOf, testing::ValuesIn(levels_and_types()),
                         level_and_type);

}  // namespace
}  // namespace prismvid::nn::kernels

#include "nn/kernels/attention.h"

#include <gtest/gtest.h>

#include <cfloat>
#include <random>

#include "core/error.h"
#include "nn/kernels/level_and_type.h"

namespace prismvid::nn::kernels {
namespace {

/// Heads in memory with room between them; what lies there must not be read or written.
struct RandomHeads {
  std::vector<std::uint8_t> bytes;
  Heads view;

  RandomHeads(NumberType type, int heads, int tokens, int head_dim, unsigned seed, float size = 1) {
    const std::size_t token_stride = head_dim + 3, head_stride = token_stride * tokens + 5;
    bytes.resize((heads * head_stride + 1) * byte_size(type));
    view = {
        bytes.data() + byte_size(type), type, heads, tokens, head_dim, head_stride, token_stride};
    for (std::size_t i = 0; i < bytes.size() / byte_size(type); ++i)
      store_number(bytes.data(), type, i, NAN);
    std::mt19937 random(seed);
    std::normal_distribution<float> normal(0, size);
    for (int h = 0; h < heads; ++h)
      for (int t = 0; t < tokens; ++t)
        for (int d = 0; d < head_dim; ++d) set(h, t, d, normal(random));
  }

  std::size_t index(int head, int token, int d) const {
    return head * view.head_stride + token * view.token_stride + d;
  }
  void set(int head, int token, int d, float value) {
    store_number(view.data, view.type, index(head, token, d), value);
  }
  double get(int head, int token, int d) const {
    return load_number(view.data, view.type, index(head, token, d));
  }
  ConstHeads read() const {
    return {view.data,     view.type,        view.heads,       view.tokens,
            view.head_dim, view.head_stride, view.token_stride};
  }
};

/// The same numbers as f32.
RandomHeads plain(const RandomHeads& from) {
  const Heads& view = from.view;
  RandomHeads to(NumberType::kFloat32, view.heads, view.tokens, view.head_dim, 0);
  for (int h = 0; h < view.heads; ++h)
    for (int t = 0; t < view.tokens; ++t)
      for (int d = 0; d < view.head_dim; ++d) to.set(h, t, d, from.get(h, t, d));
  return to;
}

/// Takes off what the first keys have in common, which changes no share.
void subtract_mean(RandomHeads& keys) {
  const Heads& view = keys.view;
  const int first = std::min(view.tokens, kKeysTogether);
  for (int h = 0; h < view.heads; ++h)
    for (int d = 0; d < view.head_dim; ++d) {
      float mean = 0;
      for (int t = 0; t < first; ++t) mean += keys.get(h, t, d);
      mean = std::isfinite(mean) ? mean * (1.0f / first) : 0;
      for (int t = 0; t < view.tokens; ++t) keys.set(h, t, d, keys.get(h, t, d) - mean);
    }
}

/// Every vector as bytes with a scale.
void round_to_bytes(RandomHeads& heads) {
  const Heads& view = heads.view;
  for (int h = 0; h < view.heads; ++h)
    for (int t = 0; t < view.tokens; ++t) {
      float most = 0;
      for (int d = 0; d < view.head_dim; ++d)
        most = std::max(most, static_cast<float>(std::abs(heads.get(h, t, d))));
      for (int d = 0; most > 0 && d < view.head_dim; ++d) {
        const float value = heads.get(h, t, d);
        heads.set(h, t, d, std::nearbyint(value * (127 / most)) * (most / 127));
      }
    }
}

struct Sizes {
  int heads, key_heads, queries, keys, head_dim;
  bool causal = true;
  float size = 1;  // of queries and keys
};

struct Case {
  LevelAndType of;
  Precision precision;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const LevelAndType& each : levels_and_types()) {
    all.push_back({each, Precision::kFull});
    if (each.type != NumberType::kFloat32) all.push_back({each, Precision::kInt8});
  }
  return all;
}

std::string case_name(const testing::TestParamInfo<Case>& test) {
  return level_and_type({test.param.of, test.index}) +
         (test.param.precision == Precision::kInt8 ? "_int8" : "");
}

class Attention : public testing::TestWithParam<Case> {
 protected:
  struct Problem {
    RandomHeads q, k, v, out;
    AttentionInputs inputs;
  };

  /// Whether so many queries are worked on in whole numbers.
  static bool rounds(const Sizes& s) {
    const bool has_tiles = GetParam().of.isa == Isa::kAmx;
    return GetParam().precision == Precision::kInt8 &&
           !(has_tiles && GetParam().of.type == NumberType::kBfloat16) &&
           kernel_table(GetParam().of.isa).attend_block[2] != nullptr && s.keys > kKeysTogether &&
           s.heads / s.key_heads * s.queries > kMaxQueryRows;
  }
  /// Whether those multiply shares and values as bytes, not as words of 16 bits.
  static bool has_byte_values() {
    return GetParam().of.isa == Isa::kAvx512 || GetParam().of.isa == Isa::kAvx512Bf16 ||
           GetParam().of.isa == Isa::kAmx;
  }
  /// How many rows before a value that is not finite may be so too.
  static int reach(const Sizes& s) { return kQueriesTogether + (rounds(s) ? kKeysTogether : 0); }

  /// Queries and keys as they count.
  struct Counted {
    RandomHeads q, k;
    Counted(const Problem& p, const Sizes& s) : q(plain(p.q)), k(plain(p.k)) {
      if (!rounds(s)) return;
      subtract_mean(k);
      round_to_bytes(q);
      round_to_bytes(k);
    }
  };

  static Problem problem(const Sizes& s) {
    const NumberType type = GetParam().of.type;
    Problem p{RandomHeads(type, s.heads, s.queries, s.head_dim, 1, s.size),
              RandomHeads(type, s.key_heads, s.keys, s.head_dim, 2, s.size),
              RandomHeads(type, s.key_heads, s.keys, s.head_dim, 3),
              RandomHeads(type, s.heads, s.queries, s.head_dim, 4),
              {}};
    p.inputs = {p.q.read(), p.k.read(),
                p.v.read(), 1 / std::sqrt(static_cast<float>(s.head_dim)),
                s.causal,   GetParam().precision};
    return p;
  }

  void run(Problem& p) {
    attention({kernel_table(GetParam().of.isa), pool_}, p.inputs, p.out.view);
  }

  /// What rounding probabilities and results may cost of the sum of |share * value|.
  static double precision() {
    switch (GetParam().of.type) {
      case NumberType::kFloat32:
        return 2e-5;
      case NumberType::kBfloat16:
        return 0x1p-7;
      case NumberType::kFloat16:
        return 0x1p-10;
    }
    return 0;
  }

  /// Half of the last place of whole shares and of whole values, times what they are multiplied by.
  static double word_rounding(const Problem& p, const std::vector<double>& shares, double total,
                              int key_head, int d) {
    double all = 0, most = 0;
    for (size_t k = 0; k < shares.size(); ++k) all += std::abs(p.v.get(key_head, k, d));
    for (int k = 0; k < p.v.view.tokens; ++k)
      most = std::max(most, std::abs(p.v.get(key_head, k, d)));
    return all / total / 16000 + most / 4094;
  }
  /// The same of bytes; where a share is large among all so far, of 256ths of those, and what both
  /// leave together.
  static double byte_rounding(const Problem& p, const std::vector<double>& shares, double total,
                              int key_head, int d) {
    const int seen = static_cast<int>(shares.size()), tokens = p.v.view.tokens;
    double bound = 0, so_far = 0;
    for (int first = 0; first < seen; first += kKeysTogether) {
      const int end = std::min(first + kKeysTogether, tokens);
      double mean = 0, most = 0, all = 0, largest = 0, sum = 0;
      for (int k = first; k < end; ++k) mean += p.v.get(key_head, k, d) / (end - first);
      for (int k = first; k < end; ++k) {
        const double value = std::abs(p.v.get(key_head, k, d) - mean);
        most = std::max(most, value);
        if (k >= seen) continue;
        all += value;
        largest = std::max(largest, shares[k]);
        sum += shares[k];
      }
      so_far += sum;
      const double coarse = largest * all / 510 + sum * most / 254;
      const double fine = coarse / 256 + largest * most * (end - first) / (255 * 254);
      bound += 15.9 * largest > so_far ? fine : coarse;
    }
    return bound / total;
  }

  static void expect_row(const Problem& p, const Counted& counted, const Sizes& s, int head,
                         int query) {
    const int key_head = head / (s.heads / s.key_heads);
    const int seen = s.causal ? s.keys - s.queries + query + 1 : s.keys;
    std::vector<double> shares(seen);
    double most = -INFINITY, total = 0;
    for (int k = 0; k < seen; ++k) {
      for (int d = 0; d < s.head_dim; ++d)
        shares[k] += counted.q.get(head, query, d) * counted.k.get(key_head, k, d);
      shares[k] *= p.inputs.scale;
      most = std::max(most, shares[k]);
    }
    for (double& share : shares) total += share = std::exp(share - most);
    for (int d = 0; d < s.head_dim; ++d) {
      double want = 0, size = 0;
      for (int k = 0; k < seen; ++k) {
        const double value = p.v.get(key_head, k, d);
        want += shares[k] / total * value;
        size += shares[k] / total * std::abs(value);
      }
      const double whole = !rounds(s)          ? 0
                           : has_byte_values() ? byte_rounding(p, shares, total, key_head, d)
                                               : word_rounding(p, shares, total, key_head, d);
      // Large scores make the shares of f32 themselves less exact.
      ASSERT_NEAR(p.out.get(head, query, d), want,
                  size * (precision() + 8 * FLT_EPSILON * std::abs(most)) + whole + 1e-7)
          << "head " << head << " query " << query << " of " << s.queries << " keys " << s.keys
          << " head size " << s.head_dim;
    }
  }

  /// Checks the rows for which is_asked(head, query).
  template <class F>
  static void expect_rows(const Problem& p, const Sizes& s, F is_asked) {
    const Counted counted(p, s);
    for (int head = 0; head < s.heads; ++head)
      for (int query = 0; query < s.queries; ++query)
        if (is_asked(head, query)) expect_row(p, counted, s, head, query);
  }

  void expect_close(const Sizes& s) {
    Problem p = problem(s);
    run(p);
    expect_rows(p, s, [](int, int) { return true; });
  }

  ThreadPool pool_{2};
};

TEST_P(Attention, AgreesForEveryHeadSize) {
  for (int head_dim : {64, 72, 80, 128, 2, 18, 256})
    for (bool causal : {false, true})
      for (int queries : {1, 21}) expect_close({2, 1, queries, 33, head_dim, causal});
}

TEST_P(Attention, AgreesForEveryLengthAroundABlock) {
  for (int keys : {1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 257})
    for (int queries : {1, 2, 3, 12, 13, 47, 48, 49, 100})
      if (queries <= keys) expect_close({1, 1, queries, keys, 64});
}

TEST_P(Attention, AgreesForEveryNumberOfHeadsThatShareKeys) {
  for (int shared : {1, 2, 4, 7, 17})
    for (int queries : {1, 2, 9}) expect_close({2 * shared, 2, queries, 70, 64});
}

TEST_P(Attention, AgreesForScoresFarFromZero) {
  for (float size : {0.0f, 4.0f, 12.0f})
    for (int queries : {1, 40}) expect_close({2, 2, queries, 150, 64, true, size});
}

TEST_P(Attention, AQueryWithNanOrInfinityStaysInItsRow) {
  for (int queries : {4, 60}) {
    const Sizes s{2, 1, queries, 90, 72};
    for (float bad : {NAN, INFINITY, -INFINITY}) {
      Problem p = problem(s);
      p.q.set(1, 2, 5, bad);
      run(p);
      expect_rows(p, s, [](int head, int query) { return head != 1 || query != 2; });
      for (int d = 0; d < 72; ++d) EXPECT_FALSE(std::isfinite(p.out.get(1, 2, d)));
    }
  }
}

TEST_P(Attention, AKeyOrValueWithNanIsSeenByWhoLooksAtIt) {
  for (int queries : {4, 200}) {
    for (bool in_key : {true, false}) {
      const Sizes s{1, 1, queries, 200, 64};
      Problem p = problem(s);
      (in_key ? p.k : p.v).set(0, 198, 7, NAN);
      run(p);
      EXPECT_TRUE(std::isnan(p.out.get(0, queries - 1, 7)));
      EXPECT_TRUE(std::isnan(p.out.get(0, queries - 2, 7)));
      expect_rows(p, s, [&](int, int query) { return query + reach(s) < queries; });
    }
  }
}

TEST_P(Attention, WritesNothingBetweenTheHeads) {
  for (int queries : {1, 50}) {
    Problem p = problem({2, 1, queries, 60, 72});
    run(p);
    for (int head = 0; head < 2; ++head)
      for (int query = 0; query < queries; ++query)
        for (int d : {72, 73, 74}) EXPECT_TRUE(std::isnan(p.out.get(head, query, d)));
  }
}

TEST_P(Attention, RefusesWhatDoesNotFit) {
  const auto refuses = [&](auto change) {
    Problem p = problem({4, 2, 3, 5, 64});
    change(p);
    EXPECT_THROW(run(p), Error);
  };
  refuses([](Problem& p) { p.inputs.queries.head_dim = 63; });
  refuses([](Problem& p) { p.inputs.keys.heads = 3; });
  refuses([](Problem& p) { p.inputs.keys.tokens = 2; });
  refuses([](Problem& p) { p.out.view.tokens = 2; });
}

TEST_P(Attention, AKeyFarAboveTheOthersLeavesThemTheirShare) {
  const Sizes s{1, 1, 300, 300, 64};
  Problem p = problem(s);
  // All look at key 0 first; what the others are given together is as much.
  for (int d = 0; d < 64; ++d) {
    p.k.set(0, 0, d, 0.5f);
    for (int t = 0; t < 300; ++t) p.q.set(0, t, d, 1.25f);
    for (int t = 1; t < 300; ++t) p.k.set(0, t, d, d % 2 == 0 ? 0.02f : -0.02f);
  }
  run(p);
  expect_rows(p, s, [](int, int) { return true; });
}

INSTANTIATE_TEST_SUITE_P(Levels, Attention, testing::ValuesIn(cases()), case_name);

}  // namespace
}  // namespace prismvid::nn::kernels

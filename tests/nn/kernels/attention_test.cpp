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

struct Sizes {
  int heads, key_heads, queries, keys, head_dim;
  bool causal = true;
  float size = 1;  // of queries and keys
};

class Attention : public testing::TestWithParam<LevelAndType> {
 protected:
  struct Problem {
    RandomHeads q, k, v, out;
    AttentionInputs inputs;
  };

  static Problem problem(const Sizes& s) {
    const NumberType type = GetParam().type;
    Problem p{RandomHeads(type, s.heads, s.queries, s.head_dim, 1, s.size),
              RandomHeads(type, s.key_heads, s.keys, s.head_dim, 2, s.size),
              RandomHeads(type, s.key_heads, s.keys, s.head_dim, 3),
              RandomHeads(type, s.heads, s.queries, s.head_dim, 4),
              {}};
    p.inputs = {p.q.read(), p.k.read(), p.v.read(), 1 / std::sqrt(static_cast<float>(s.head_dim)),
                s.causal};
    return p;
  }

  void run(Problem& p) { attention({kernel_table(GetParam().isa), pool_}, p.inputs, p.out.view); }

  /// What rounding probabilities and results may cost of the sum of |share * value|.
  static double precision() {
    switch (GetParam().type) {
      case NumberType::kFloat32:
        return 2e-5;
      case NumberType::kBfloat16:
        return 0x1p-7;
      case NumberType::kFloat16:
        return 0x1p-10;
    }
    return 0;
  }

  static void expect_row(const Problem& p, const Sizes& s, int head, int query) {
    const int key_head = head / (s.heads / s.key_heads);
    const int seen = s.causal ? s.keys - s.queries + query + 1 : s.keys;
    std::vector<double> shares(seen);
    double most = -INFINITY, total = 0;
    for (int k = 0; k < seen; ++k) {
      for (int d = 0; d < s.head_dim; ++d)
        shares[k] += p.q.get(head, query, d) * p.k.get(key_head, k, d);
      shares[k] *= p.inputs.scale;
      most = std::max(most, shares[k]);
    }
    for (double& share : shares) total += share = std::exp(share - most);
    for (int d = 0; d < s.head_dim; ++d) {
      double want = 0, size = 0;
      for (int k = 0; k < seen; ++k) {
        want += shares[k] / total * p.v.get(key_head, k, d);
        size += shares[k] / total * std::abs(p.v.get(key_head, k, d));
      }
      // Large scores make the shares of f32 themselves less exact.
      ASSERT_NEAR(p.out.get(head, query, d), want,
                  size * (precision() + 8 * FLT_EPSILON * std::abs(most)) + 1e-7)
          << "head " << head << " query " << query << " of " << s.queries << " keys " << s.keys
          << " head size " << s.head_dim;
    }
  }

  void expect_close(const Sizes& s) {
    Problem p = problem(s);
    run(p);
    for (int head = 0; head < s.heads; ++head)
      for (int query = 0; query < s.queries; ++query) expect_row(p, s, head, query);
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
      for (int head = 0; head < 2; ++head)
        for (int query = 0; query < queries; ++query)
          if (head != 1 || query != 2)
            expect_row(p, s, head, query);
          else
            for (int d = 0; d < 72; ++d) EXPECT_FALSE(std::isfinite(p.out.get(head, query, d)));
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
      for (int query = 0; query + kQueriesTogether < queries; ++query) expect_row(p, s, 0, query);
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

INSTANTIATE_TEST_SUITE_P(Levels, Attention, testing::ValuesIn(levels_and_types()), level_and_type);

}  // namespace
}  // namespace prismvid::nn::kernels

// The products of a mixture of experts against their plain form in float32.
#include "nn/cuda/experts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "nn/cuda/cuda_test.h"

namespace prismvid::cuda {
namespace {

struct Case {
  int bits, group, width, inner, experts, chosen, tokens;
  bool normalize = true;
  float size = 1;  // of the activations
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.bits << " bits, groups of " << c.group << ", " << c.width << " to " << c.inner << ", "
       << c.chosen << " of " << c.experts << " experts, " << c.tokens << " tokens, size " << c.size
       << (c.normalize ? "" : ", not normalised");
}

/// The matrices of all experts, packed, and unpacked in float32.
struct Experts {
  Experts(const Case& c, int rows, int columns, uint64_t seed)
      : parts(mx::quantize(random_bfloat16({c.experts, rows, columns}, 0.05f, seed), c.group,
                           c.bits)),
        unpacked(mx::dequantize(parts[0], mx::astype(parts[1], mx::float32),
                                mx::astype(parts[2], mx::float32), c.group, c.bits)) {
    mx::eval(parts);
    unpacked.eval();
  }
  ProductMatrix matrix() const {
    return {static_cast<const uint32_t*>(device_data(parts[0])),
            static_cast<const bf16*>(device_data(parts[1])),
            static_cast<const bf16*>(device_data(parts[2]))};
  }
  std::vector<mx::array> parts;
  mx::array unpacked;  // (experts, rows, columns)
};

/// The chosen experts of each token and their shares, by a whole sort.
struct Choices {
  Choices(const Case& c, const mx::array& scores) {
    for (int token = 0; token < c.tokens; ++token) {
      const float* row = scores.data<float>() + token * c.experts;
      std::vector<int> order(c.experts);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return row[a] > row[b]; });
      const auto chance = [&](int expert) {
        return std::exp(static_cast<double>(row[expert]) - row[order[0]]);
      };
      double total = 0;
      for (int i = 0; i < (c.normalize ? c.chosen : c.experts); ++i) total += chance(order[i]);
      for (int k = 0; k < c.chosen; ++k) {
        experts.push_back(order[k]);
        shares.push_back(static_cast<float>(chance(order[k]) / total));
      }
    }
  }
  std::vector<int> experts;
  std::vector<float> shares;
};

class CudaExperts : public OnGpu, public testing::WithParamInterface<Case> {};

TEST_P(CudaExperts, EqualThePlainFormInFloat32) {
  const Case c = GetParam();
  const Experts gate(c, c.inner, c.width, 1), up(c, c.inner, c.width, 2),
      down(c, c.width, c.inner, 3);
  const mx::array x = random_bfloat16({c.tokens, c.width}, c.size, 4),
                  norm = random_bfloat16({c.width}, 1, 5),
                  residual = random_bfloat16({c.tokens, c.width}, 0.5f, 6);
  mx::array scores =
      mx::random::normal({c.tokens, c.experts}, mx::float32, 0, 1, mx::random::key(7));
  mx::array gated = mx::full({c.tokens, c.chosen, c.inner}, NAN, mx::bfloat16),
            mixed = mx::full({c.tokens, c.width}, NAN, mx::bfloat16);
  mx::eval({x, norm, residual, scores, gated, mixed});
  mx::synchronize();
  const Choices choices(c, scores);

  ASSERT_TRUE(has_experts({c.bits, c.group, c.width, c.inner, c.experts, c.chosen}));
  ExpertArguments a{};
  a.matrices[0] = gate.matrix(), a.matrices[1] = up.matrix();
  a.scores = static_cast<const float*>(device_data(scores));
  a.x = static_cast<const bf16*>(device_data(x));
  a.norm = static_cast<const bf16*>(device_data(norm));
  a.y = writable<bf16>(gated);
  a.epsilon = 1e-6f;
  a.experts = c.experts, a.chosen = c.chosen, a.normalize = c.normalize, a.group = c.group;
  a.rows = c.inner, a.columns = c.width;
  multiply_experts(ExpertPart::kGated, c.bits, a, c.tokens, nullptr);
  a.matrices[0] = down.matrix();
  a.x = static_cast<const bf16*>(device_data(gated));
  a.norm = nullptr;
  a.residual = static_cast<const bf16*>(device_data(residual));
  a.y = writable<bf16>(mixed);
  a.rows = c.width, a.columns = c.inner;
  multiply_experts(ExpertPart::kMixed, c.bits, a, c.tokens, nullptr);
  check_driver(cuStreamSynchronize(nullptr), "running experts");

  // Sums of products, not matmul(), which takes 10 bits of float32 on this device.
  const mx::array wide = mx::astype(x, mx::float32);
  const mx::array length = mx::rsqrt(mx::mean(mx::square(wide), -1, true) + mx::array(a.epsilon));
  const mx::array normed = wide * length * mx::astype(norm, mx::float32);
  const mx::array of = mx::array(choices.experts.begin(), {c.tokens, c.chosen});
  const auto product = [&](const mx::array& rows, const Experts& experts) {
    return mx::sum(mx::expand_dims(rows, -2) * mx::take(experts.unpacked, of, 0), -1);
  };
  const mx::array each = mx::expand_dims(normed, 1);  // (tokens, 1, width)
  const mx::array open = product(each, gate);
  const mx::array wanted_gated = open * mx::sigmoid(open) * product(each, up);
  EXPECT_LT(relative_error(gated, wanted_gated), 3e-3f) << "gated";
  const mx::array shares = mx::array(choices.shares.begin(), {c.tokens, c.chosen, 1});
  const mx::array wanted_mixed = mx::astype(residual, mx::float32) +
                                 mx::sum(shares * product(mx::astype(gated, mx::float32), down), 1);
  EXPECT_LT(relative_error(mixed, wanted_mixed), 3e-3f) << "mixed";
}

std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const int bits : {2, 3, 4, 5, 6, 8}) {
    for (const int tokens : {1, 2, 9}) cases.push_back({bits, 64, 512, 256, 16, 4, tokens});
    cases.push_back({bits, 32, 256, 768, 8, 2, 3, false});
    cases.push_back({bits, 128, 768, 512, 40, 8, 2});
    cases.push_back({bits, 64, 2304, 256, 8, 8, 1, true, 1e3f});
  }
  for (const int bits : {4, 5}) cases.push_back({bits, 64, 2048, 768, 128, 8, 1});
  cases.push_back({4, 64, 256, 256, 512, 32, 33, false});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shapes, CudaExperts, testing::ValuesIn(cases()));

TEST_F(OnGpu, ExpertsThatThereAreNoKernelsForAreTold) {
  EXPECT_TRUE(has_experts({4, 64, 2048, 768, 128, 8}));
  EXPECT_FALSE(has_experts({16, 64, 2048, 768, 128, 8}));
  EXPECT_FALSE(has_experts({4, 64, 2048, 800, 128, 8}));
  EXPECT_FALSE(has_experts({4, 64, 2048, 768, 1024, 8}));
  EXPECT_FALSE(has_experts({4, 64, 2048, 768, 128, 64}));
}

}  // namespace
}  // namespace prismvid::cuda

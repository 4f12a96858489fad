// Whole models on the CPU kernels against MLX's own operations.
#include <gtest/gtest.h>

#include "models/qwen3_vl/convert.h"
#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::qwen3_vl {
namespace {

namespace fs = std::filesystem;

// A tiny checkpoint, quantised unless bits are 0.
fs::path model_of(const std::string& kind, int bits) {
  if (bits == 0) return kGolden / "models" / kind;
  const fs::path folder =
      fs::path(testing::TempDir()) / ("prismvid_cpu_kernels_" + kind + "_" + std::to_string(bits));
  fs::remove_all(folder);
  convert_checkpoint(kGolden / "models" / kind, folder, {bits, 32});
  return folder;
}

mx::array logits_of(const Model& model, const Case& one) {
  Sequence sequence = model.begin(one.prompt);
  return prefill_logits(model, sequence, one, encode_all(model, one), 32, 8);
}

// The lowest cosine with MLX's logits in float32 over the golden conversations.
float agreement(const fs::path& folder, const LoadOptions& options) {
  const Model exact = Model::load(folder, {mx::float32, std::nullopt});
  const Model model = Model::load(folder, options);
  float lowest = 1;
  for (const Case& one : golden_cases(exact))
    if (one.name == "text" || one.name == "image" || one.name == "video")
      lowest = std::min(lowest, cosine(logits_of(model, one), logits_of(exact, one)));
  return lowest;
}

class CpuKernelsOf : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Kinds, CpuKernelsOf, testing::Values("dense_tied", "dense_untied", "moe"),
                         [](const auto& kind) { return kind.param; });

TEST_P(CpuKernelsOf, LogitsAgreeInFloat32) {
  for (const int bits : {0, 3, 4, 8})
    EXPECT_GE(agreement(model_of(GetParam(), bits), {mx::float32, nn::KernelOptions{}}), 0.99999f)
        << bits;
}

// Two sequences of the golden conversations, stepped together past the room that their keys and
// values begin with; some of the tokens are taken back on the way, as wrong guesses are.
std::vector<mx::array> logits_of_steps(const Model& model) {
  const std::vector<Case> cases = golden_cases(model);
  std::vector<Sequence> sequences;
  for (const Case& one : {cases[0], cases[1]}) {
    sequences.push_back(model.begin(one.prompt));
    prefill_logits(model, sequences.back(), one, encode_all(model, one), 16, 1).eval();
  }
  std::vector<mx::array> logits;
  for (int i = 0; i < 60; ++i) {
    std::vector<int> guesses;
    for (int k = 0; k < 1 + i % 9; ++k) guesses.push_back((7 * i + k) % 50);
    logits.push_back(model.logits(model.step({&sequences[0], &sequences[1]}, {guesses, {i % 50}})));
    logits.back().eval();
    if (i % 9 == 8)
      for (nn::KeyValueCache& cache : sequences[0].caches) cache.truncate(cache.size() - 4);
  }
  EXPECT_GT(sequences[0].size(), 256);
  return logits;
}

TEST_P(CpuKernelsOf, StepsAgreeInFloat32) {
  for (const int bits : {0, 4}) {
    const fs::path folder = model_of(GetParam(), bits);
    const auto exact = logits_of_steps(Model::load(folder, {mx::float32, std::nullopt}));
    const auto got = logits_of_steps(Model::load(folder, {mx::float32, nn::KernelOptions{}}));
    for (size_t i = 0; i < exact.size(); ++i)
      ASSERT_LT(relative_error(got[i], exact[i]), 1e-4f) << bits << " bits, step " << i;
  }
}

// Half precision costs these narrow models more than real ones. MLX sums quantised products in
// bfloat16, the kernels in float32: they must come closer to the exact logits than MLX does.
TEST(CpuKernels, LogitsInBfloat16AreCloserToTheExactOnesThanMlxs) {
  for (const char* kind : {"dense_tied", "dense_untied"}) {
    for (const int bits : {3, 4, 8}) {
      const fs::path folder = model_of(kind, bits);
      const float plain = agreement(folder, {mx::bfloat16, std::nullopt});
      const float precise = agreement(folder, {mx::bfloat16, nn::KernelOptions{.precise = true}});
      const float rounded = agreement(folder, {mx::bfloat16, nn::KernelOptions{}});
      EXPECT_GT(precise, plain) << kind << " " << bits;
      EXPECT_GT(rounded, plain) << kind << " " << bits;
      EXPECT_GE(precise, 0.9995f) << kind << " " << bits;
      EXPECT_GE(rounded, 0.999f) << kind << " " << bits;
      const std::string name = std::string(kind) + "_" + std::to_string(bits) + "bit";
      RecordProperty("mlx:" + name, std::to_string(plain));
      RecordProperty("precise:" + name, std::to_string(precise));
      RecordProperty("fast:" + name, std::to_string(rounded));
    }
    const float plain = agreement(model_of(kind, 0), {mx::bfloat16, std::nullopt});
    const float fast = agreement(model_of(kind, 0), {mx::bfloat16, nn::KernelOptions{}});
    EXPECT_GE(fast, 0.9995f) << kind;
    RecordProperty("mlx:" + std::string(kind), std::to_string(plain));
    RecordProperty("fast:" + std::string(kind), std::to_string(fast));
  }
}

TEST(CpuKernels, LogitsOfStepsInBfloat16AreCloseToTheExactOnes) {
  for (const char* kind : {"dense_tied", "dense_untied"}) {
    for (const int bits : {0, 4}) {
      const fs::path folder = model_of(kind, bits);
      const auto exact = logits_of_steps(Model::load(folder, {mx::float32, std::nullopt}));
      const auto got = logits_of_steps(Model::load(folder, {mx::bfloat16, nn::KernelOptions{}}));
      EXPECT_GE(cosine(mx::concatenate(got, 1), mx::concatenate(exact, 1)), 0.999f)
          << kind << " " << bits;
    }
  }
}

TEST(CpuKernels, WeightsTakeAsManyBytesAsMlxs) {
  const fs::path folder = model_of("dense_untied", 4);
  const auto plain = Model::load(folder, {std::nullopt, std::nullopt}).weight_bytes();
  const auto packed = Model::load(folder).weight_bytes();
  EXPECT_LE(static_cast<double>(packed), 1.05 * static_cast<double>(plain));
}

}  // namespace
}  // namespace prismvid::qwen3_vl

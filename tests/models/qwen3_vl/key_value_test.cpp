// Keys and values in few bits: how close, how small, and that both forms of attention agree.
#include <gtest/gtest.h>

#include "core/error.h"
#include "models/qwen3_vl/tiny_model.h"
#include "nn/quantized_attention.h"

namespace prismvid::qwen3_vl {
namespace {

mx::array logits_of(const Model& model, const Case& one, int chunk) {
  Sequence sequence = model.begin(one.prompt);
  return prefill_logits(model, sequence, one, encode_all(model, one), chunk, 8);
}

Model loaded(const std::string& kind, int bits, bool kernels = true) {
  LoadOptions options{mx::float32, std::nullopt, bits};
  if (kernels) options.kernels = nn::KernelOptions{};
  return Model::load(kGolden / "models" / kind, options);
}

class KeyValues : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Kinds, KeyValues, testing::Values("dense_tied", "dense_untied", "moe"),
                         [](const auto& kind) { return kind.param; });

TEST_P(KeyValues, InFewerBitsLogitsStayClose) {
  const Model exact = loaded(GetParam(), 16);
  // A random router has near ties: a small difference sends a token to another expert.
  const bool experts = GetParam() == "moe";
  for (const auto& [bits, least] :
       {std::pair{8, experts ? 0.98f : 0.999f}, {4, experts ? 0.9f : 0.93f}}) {
    const Model model = loaded(GetParam(), bits);
    for (const Case& one : golden_cases(exact))
      EXPECT_GT(cosine(logits_of(model, one, 16), logits_of(exact, one, 16)), least)
          << one.name << " in " << bits << " bits";
  }
}

TEST_P(KeyValues, TheKernelsComputeWhatMlxDoes) {
  for (const int bits : {8, 4}) {
    const Model kernels = loaded(GetParam(), bits), plain = loaded(GetParam(), bits, false);
    for (const Case& one : golden_cases(plain)) {
      const mx::array expected = logits_of(plain, one, 16);
      EXPECT_GT(cosine(logits_of(kernels, one, 16), expected),
                GetParam() == "moe" ? 0.98f : 0.9995f)
          << one.name;
    }
  }
}

TEST(KeyValueCache, IsAsSmallAsItsBits) {
  mx::random::seed(1);
  const mx::array numbers = mx::astype(mx::random::normal({1, 8, 300, 128}), mx::bfloat16);
  std::map<int, uint64_t> bytes;
  for (const int bits : {16, 8, 4}) {
    const auto format = nn::KeyValueFormat::of(bits, 128);
    nn::KeyValueCache cache(format);
    cache.append(numbers, numbers);
    for (const mx::array& kept : cache.tokens(0, 300)) bytes[bits] += kept.nbytes();
    EXPECT_EQ(bytes[bits], 2 * 8 * 300 * format.head_bytes(128, 2));
  }
  EXPECT_LT(static_cast<double>(bytes[8]), 0.54 * static_cast<double>(bytes[16]));
  EXPECT_LT(static_cast<double>(bytes[4]), 0.29 * static_cast<double>(bytes[16]));
}

TEST(KeyValueCache, WhatItKeptIsTheSameInAnother) {
  mx::random::seed(1);
  const mx::array numbers = mx::random::normal({1, 2, 70, 64});
  for (const int bits : {16, 8, 4}) {
    const auto format = nn::KeyValueFormat::of(bits, 64);
    nn::KeyValueCache whole(format), parts(format);
    whole.append(numbers, numbers);
    parts.append_kept(whole.tokens(0, 32));
    parts.append_kept(whole.tokens(32, 70));
    parts.truncate(50);
    parts.append_kept(whole.tokens(50, 70));
    const mx::array query = mx::slice(numbers, {0, 0, 69, 0}, {1, 2, 70, 64});
    EXPECT_TRUE(mx::array_equal(whole.attention(query, nullptr), parts.attention(query, nullptr))
                    .item<bool>())
        << bits;
  }
}

TEST(KeyValueCache, RefusesBitsAndHeadsThatCannotBe) {
  EXPECT_THROW(nn::KeyValueFormat::of(5, 128), Error);
  EXPECT_THROW(nn::KeyValueFormat::of(8, 72), Error);
  EXPECT_EQ(nn::KeyValueFormat::of(4, 96).group_size, 32);
  EXPECT_FALSE(nn::KeyValueFormat::of(16, 72).is_quantized());
}

}  // namespace
}  // namespace prismvid::qwen3_vl

// Decode steps of the device's own kernels against MLX's operations, on small random checkpoints.
#include "models/qwen3_vl/device_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bench/cuda/random_checkpoint.h"
#include "models/qwen3_vl/tiny_model.h"
#include "nn/sampler.h"

namespace prismvid::qwen3_vl {
namespace {

struct Kind {
  std::string name;
  bench::CheckpointShape shape;
  int bits;
};

constexpr bench::CheckpointShape kDense{256, 512, 3, 4, 2, 64, 64, 0, 1024},
    kExperts{256, 256, 3, 4, 2, 64, 64, 0, 1024, 16, 4},
    kAllExperts{256, 256, 3, 4, 2, 64, 64, 0, 1024, 4, 4};

std::filesystem::path checkpoint_of(const Kind& kind) {
  const auto folder =
      std::filesystem::path(testing::TempDir()) / ("prismvid_device_decoder_" + kind.name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  bench::write_random_checkpoint(folder, kind.shape, kind.bits);
  return folder;
}

Prompt prompt_of(int tokens, int seed) {
  Prompt prompt;
  for (int i = 0; i < tokens; ++i) prompt.ids.push_back((i * 37 + seed * 101 + i * i) % 1000);
  return prompt;
}

class DeviceDecoderOf : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    folder_ = checkpoint_of(GetParam());
    model_.emplace(Model::load(folder_));
    ASSERT_NE(model_->device_decoder(), nullptr);
  }
  DeviceDecoder& decoder() { return *model_->device_decoder(); }

  // Behind contexts of different lengths.
  static std::vector<Sequence> sequences(const Model& model, int count,
                                         mx::Dtype dtype = mx::bfloat16) {
    std::vector<Sequence> sequences;
    for (int i = 0; i < count; ++i)
      sequences.push_back(bench::random_context(model, prompt_of(20 + 7 * i, i), i, dtype));
    return sequences;
  }
  static std::vector<Sequence*> pointers(std::vector<Sequence>& sequences) {
    std::vector<Sequence*> pointers;
    for (Sequence& sequence : sequences) pointers.push_back(&sequence);
    return pointers;
  }
  static mx::array row(const std::vector<float>& values) {
    return mx::array(values.begin(), {static_cast<int>(values.size())});
  }

  std::filesystem::path folder_;
  std::optional<Model> model_;
};

std::vector<Kind> dense_kinds() {
  return {{"dense_3", kDense, 3},
          {"dense_4", kDense, 4},
          {"dense_5", kDense, 5},
          {"dense_8", kDense, 8},
          {"dense_bf16", kDense, 16}};
}
std::vector<Kind> kinds(const bench::CheckpointShape& experts) {
  std::vector<Kind> kinds = dense_kinds();
  for (const int bits : {3, 4, 5, 8})
    kinds.push_back({"experts_" + std::to_string(bits), experts, bits});
  return kinds;
}
std::string name_of(const testing::TestParamInfo<Kind>& kind) {
  return kind.param.name;
}
INSTANTIATE_TEST_SUITE_P(Kinds, DeviceDecoderOf, testing::ValuesIn(kinds(kExperts)), name_of);

// Experts are compared product by product (cuda_experts): MLX compiles its own on the device when
// they are first used, for longer than a test should take.
class DenseDecoderOf : public DeviceDecoderOf {};
INSTANTIATE_TEST_SUITE_P(Kinds, DenseDecoderOf, testing::ValuesIn(dense_kinds()), name_of);

TEST_P(DenseDecoderOf, LogitsAreCloseToThoseOfMlxInFloat32) {
  const Model exact = Model::load(folder_, {mx::float32});
  for (const int count : {1, 3, 9, 40}) {
    auto ours = sequences(*model_, count), theirs = sequences(exact, count, mx::float32);
    std::vector<int> ids(count);
    for (int i = 0; i < count; ++i) ids[i] = 11 * i % 1000;
    for (int step = 0; step < 3; ++step) {
      const auto got = decoder().logits(pointers(ours), ids);
      std::vector<std::vector<int>> each;
      for (const int id : ids) each.push_back({id});
      const mx::array expected = exact.logits(exact.step(pointers(theirs), each));
      for (int i = 0; i < count; ++i) {
        const mx::array wanted =
            mx::flatten(mx::slice(expected, {0, i, 0}, {1, i + 1, expected.shape(2)}));
        ASSERT_GT(cosine(row(got[i]), wanted), 0.999f) << i << " of " << count;
        ids[i] = static_cast<int>(mx::argmax(wanted).item<uint32_t>()) % 1000;
      }
    }
  }
}

// Steps of one and of several tokens round differently, and a router would choose another expert
// where two are nearly as good: here it takes all of them.
class StepsTogetherOf : public DeviceDecoderOf {};
INSTANTIATE_TEST_SUITE_P(Kinds, StepsTogetherOf, testing::ValuesIn(kinds(kAllExperts)), name_of);

TEST_P(StepsTogetherOf, SequencesThatStepTogetherAreAsEachAlone) {
  constexpr int count = 5;
  auto together = sequences(*model_, count), alone = sequences(*model_, count);
  std::vector<int> ids{1, 2, 3, 4, 5};
  for (int step = 0; step < 8; ++step) {
    const auto rows = decoder().logits(pointers(together), ids);
    for (int i = 0; i < count; ++i) {
      const auto single = decoder().logits({&alone[i]}, {ids[i]})[0];
      EXPECT_GT(cosine(row(rows[i]), row(single)), 0.9995f) << i << " at step " << step;
    }
    for (int i = 0; i < count; ++i) ids[i] = nn::argmax(rows[i]) % 1000;
  }
}

TEST_P(DeviceDecoderOf, TokensPickedAheadAreThoseOfSingleSteps) {
  auto ahead = sequences(*model_, 3), alone = sequences(*model_, 3);
  std::vector<int> ids{5, 6, 7}, wanted = ids;
  std::vector<std::vector<int>> picked;
  for (int step = 0; step < 260; ++step)  // past where the caches grow
    picked.push_back(ids = decoder().likeliest(pointers(ahead), ids));
  decoder().rest();
  for (int step = 0; step < 260; ++step) {
    const auto rows = decoder().logits(pointers(alone), wanted);
    for (int i = 0; i < 3; ++i) wanted[i] = nn::argmax(rows[i]);
    ASSERT_EQ(picked[step], wanted) << step;
  }
}

TEST_P(DeviceDecoderOf, DrawnTokensAreThoseThatTheSamplerPicks) {
  std::vector<nn::SamplingOptions> options(4);
  options[0].temperature = 1;
  options[1].temperature = 0.7f, options[1].top_k = 20, options[1].top_p = 0.8f;
  options[2].temperature = 1.2f, options[2].top_p = 0.9f, options[2].presence_penalty = 0.5f;
  options[3].repetition_penalty = 1.5f;  // greedy
  std::vector<nn::Sampler> device, host;
  for (size_t i = 0; i < options.size(); ++i) {
    options[i].seed = i;
    device.emplace_back(options[i]);
    host.emplace_back(options[i]);
    EXPECT_TRUE(decoder().can_pick(options[i]));
  }
  std::vector<TokenPick> picks;
  for (const nn::Sampler& sampler : device) picks.push_back({&sampler, {}});
  auto drawn = sequences(*model_, 4), alone = sequences(*model_, 4);
  std::vector<int> ids{5, 6, 7, 8};
  std::vector<std::vector<int>> answers;
  for (int step = 0; step < 60; ++step) {
    ids = decoder().picked(pointers(drawn), ids, picks);
    for (size_t i = 0; i < ids.size(); ++i) device[i].take(ids[i]);
    answers.push_back(ids);
  }
  decoder().rest();
  ids = {5, 6, 7, 8};
  for (int step = 0; step < 60; ++step) {
    auto rows = decoder().logits(pointers(alone), ids);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = host[i].pick(rows[i]);
    ASSERT_EQ(ids, answers[step]) << step;
  }
}

// Every third token or so, others each step and sequence.
bool may_follow(int id, int step, size_t sequence) {
  return (static_cast<size_t>(id) * 7 + static_cast<size_t>(step) * 5 + sequence) % 3 == 0;
}

TEST_P(DeviceDecoderOf, MaskedTokensAreThoseThatTheSamplerPicksOfTheMask) {
  std::vector<nn::SamplingOptions> options(3);  // the first and the last are greedy
  options[1].temperature = 1, options[1].top_p = 0.9f, options[1].seed = 4;
  std::vector<nn::Sampler> device(options.begin(), options.end()), host = device;
  int step = 0;
  std::vector<TokenPick> picks;
  for (size_t i = 0; i < device.size(); ++i)
    picks.push_back({&device[i], [&step, i](std::span<uint64_t> mask) {
                       for (size_t id = 0; id < 64 * mask.size(); ++id) {
                         const uint64_t bit = uint64_t{1} << id % 64;
                         if (may_follow(static_cast<int>(id), step, i))
                           mask[id / 64] |= bit;
                         else
                           mask[id / 64] &= ~bit;
                       }
                     }});
  picks[2].write_mask = {};
  auto drawn = sequences(*model_, 3), alone = sequences(*model_, 3);
  std::vector<int> ids{5, 6, 7};
  std::vector<std::vector<int>> answers;
  for (; step < 260; ++step) {  // past where the caches grow
    ids = decoder().picked(pointers(drawn), ids, picks);
    for (size_t i = 0; i < ids.size(); ++i) device[i].take(ids[i]);
    answers.push_back(ids);
  }
  decoder().rest();
  ids = {5, 6, 7};
  for (step = 0; step < 260; ++step) {
    auto rows = decoder().logits(pointers(alone), ids);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (picks[i].write_mask)
        for (size_t id = 0; id < rows[i].size(); ++id)
          if (!may_follow(static_cast<int>(id), step, i)) rows[i][id] = -INFINITY;
      ids[i] = host[i].pick(rows[i]);
    }
    ASSERT_EQ(ids, answers[step]) << step;
  }
}

}  // namespace
}  // namespace prismvid::qwen3_vl

#include "inference/generation.h"

#include <limits>
#include <random>

#include "core/error.h"
#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

GenerateOptions in_digits() {
  GenerateOptions options;
  options.max_tokens = 40;
  options.grammar = grammar::Grammar::regex("[0-9]{6}(ab|cd)?");
  return options;
}

qwen3_vl::Prompt some_prompt() {
  qwen3_vl::Prompt prompt;
  prompt.ids = {1, 2, 3};
  return prompt;
}

TEST(Generation, WhatADevicePicksUnderTheMaskIsWhatTheHostTakes) {
  const PromptPlanner planner(checkpoint("dense_tied"));
  const auto vocabulary = static_cast<size_t>(planner.config().text.vocabulary);
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    Generation host(planner.parts(), in_digits(), some_prompt(), {}),
        device(planner.parts(), in_digits(), some_prompt(), {});
    ASSERT_TRUE(device.takes_pick() && device.is_masked());
    for (bool ended = false; !ended;) {
      std::vector<float> logits(vocabulary);
      for (float& logit : logits) logit = std::normal_distribution<float>()(random);
      std::vector<uint64_t> mask((vocabulary + 63) / 64);
      device.write_mask(mask);
      std::vector<float> left = logits;
      for (size_t id = 0; id < vocabulary; ++id)
        if ((mask[id / 64] >> id % 64 & 1) == 0) left[id] = -std::numeric_limits<float>::infinity();
      ended = host.take(logits);
      ASSERT_EQ(device.take_picked(nn::argmax(left)), ended);
      ASSERT_EQ(device.last_token(), host.last_token());
    }
    EXPECT_TRUE(host.finish().valid);
    EXPECT_TRUE(device.finish().valid);
  }
}

TEST(Generation, ADevicesPickOutsideTheMaskIsAnErrorOfTheRequest) {
  const PromptPlanner planner(checkpoint("dense_tied"));
  Generation device(planner.parts(), in_digits(), some_prompt(), {});
  try {
    device.take_picked(planner.parts().tokenizer.encode("x")[0]);
    FAIL() << "it was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
  }
}

}  // namespace
}  // namespace prismvid::inference

// Answers whose steps run on the device's own kernels.
#include <gtest/gtest.h>

#include "bench/cuda/random_checkpoint.h"
#include "inference/engine.h"
#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

constexpr bench::CheckpointShape kDense{256, 512, 2, 4, 2, 64, 64, 0, 768},
    kExperts{256, 256, 2, 4, 2, 64, 64, 0, 768, 16, 4};

std::filesystem::path device_checkpoint(const std::string& name,
                                        const bench::CheckpointShape& shape) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("prismvid_device_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  bench::write_random_checkpoint(folder, shape, 4);
  add_tokenizer(folder);
  return folder;
}

std::vector<GenerateOptions> ways_to_sample() {
  std::vector<GenerateOptions> ways(4, greedy(60));
  ways[1].sampling.temperature = 0.7f, ways[1].sampling.top_k = 20, ways[1].sampling.top_p = 0.8f;
  ways[2].sampling.temperature = 1.2f, ways[2].sampling.min_p = 0.02f;
  ways[2].sampling.presence_penalty = 0.5f, ways[2].sampling.repetition_penalty = 1.1f;
  ways[3].sampling.temperature = 1, ways[3].sampling.top_p = 0.9f;
  ways[3].sampling.logit_bias = {{7, 3.0f}};
  for (size_t i = 0; i < ways.size(); ++i) ways[i].sampling.seed = i;
  return ways;
}

// Log probabilities need the logits, so that the host picks.
TEST(OnTheDevice, TokensAreThoseThatTheHostWouldPick) {
  for (const auto& [name, shape] : {std::pair{"dense", kDense}, {"experts", kExperts}}) {
    const auto model = VisionLanguageModel::load(device_checkpoint(name, shape).string());
    for (GenerateOptions options : ways_to_sample()) {
      const Answer picked_there = model.generate(question(), options);
      options.top_log_probabilities = 0;
      const Answer picked_here = model.generate(question(), options);
      EXPECT_EQ(picked_there.token_ids, picked_here.token_ids)
          << name << " seed " << options.sampling.seed;
      EXPECT_EQ(picked_there.token_ids.size(), 60u);
    }
  }
}

TEST(OnTheDevice, RequestsOfAllKindsAreAnsweredTogether) {
  Engine engine(device_checkpoint("experts", kExperts).string());
  std::vector<GenerateOptions> ways = ways_to_sample();
  ways.push_back(greedy(60));
  ways.back().grammar = grammar::Grammar::regex("[0-9]{12}");
  std::vector<Ticket> tickets;
  for (const GenerateOptions& options : ways)
    tickets.push_back(engine.submit({question(), options}));
  std::vector<Answer> answers;
  for (Ticket& ticket : tickets) answers.push_back(ticket.get());
  for (size_t i = 0; i + 1 < ways.size(); ++i) EXPECT_EQ(answers[i].token_ids.size(), 60u) << i;
  EXPECT_EQ(answers.back().valid, true);
}

}  // namespace
}  // namespace prismvid::inference

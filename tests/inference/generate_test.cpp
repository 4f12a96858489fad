#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "inference/loop_guard.h"
#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;
using qwen3_vl::goldens;

VisionLanguageModel load(const std::string& kind, bool thinking = false) {
  return VisionLanguageModel::load(checkpoint(kind, thinking).string(), kPrecise);
}

TEST(Generate, AnswersAsTheReferenceFromPicturesAndFrames) {
  for (const std::string kind : {"dense_untied", "moe"}) {
    const auto model = load(kind);
    const Answer answer = model.generate(image_and_video(), greedy(64));
    EXPECT_EQ(answer.prompt_token_ids, qwen3_vl::to_ints(goldens(kind).at("image_and_video.ids")));
    EXPECT_EQ(answer.token_ids, qwen3_vl::to_ints(goldens(kind).at("image_and_video.greedy")));
    EXPECT_EQ(answer.finish_reason, FinishReason::kLength);
    EXPECT_GT(answer.peak_memory_bytes, 1u << 20);
  }
}

TEST(Generate, StreamsExactlyTheAnswer) {
  const auto model = load("dense_tied");
  std::string streamed;
  std::vector<int> ids;
  const Answer answer = model.generate(question(), greedy(48), [&](const TokenEvent& event) {
    streamed += event.text;
    if (event.id >= 0) ids.push_back(event.id);
  });
  EXPECT_EQ(streamed, answer.text);
  EXPECT_EQ(ids, answer.token_ids);
  EXPECT_EQ(answer.text, qwen3_vl::tiny_tokenizer().decode(answer.token_ids));
}

TEST(Generate, TheSameSeedGivesTheSameAnswer) {
  const auto model = load("dense_tied");
  GenerateOptions options = greedy(24);
  options.sampling = model.defaults().sampling;
  EXPECT_FLOAT_EQ(options.sampling.temperature, 0.7f);
  EXPECT_EQ(options.sampling.top_k, 20);
  options.sampling.temperature = 2;
  options.sampling.seed = 5;
  const Answer first = model.generate(question(), options),
               second = model.generate(question(), options);
  options.sampling.seed = 6;
  EXPECT_EQ(first.token_ids, second.token_ids);
  EXPECT_NE(first.token_ids, model.generate(question(), options).token_ids);
}

TEST(Generate, EndsAtAStopStringWithoutIt) {
  const auto model = load("dense_tied");
  const std::string whole = model.generate(question(), greedy(48)).text;
  ASSERT_GT(whole.size(), 20u);
  GenerateOptions options = greedy(48);
  options.stop_strings = {whole.substr(10, 6)};
  const Answer answer = model.generate(question(), options);
  EXPECT_EQ(answer.text, whole.substr(0, whole.find(options.stop_strings[0])));
  EXPECT_EQ(answer.finish_reason, FinishReason::kStop);
}

TEST(Generate, GivesLogProbabilitiesOfEachToken) {
  const auto model = load("dense_tied");
  GenerateOptions options = greedy(5);
  options.top_log_probabilities = 3;
  const Answer answer = model.generate(question(), options);
  ASSERT_EQ(answer.log_probabilities.size(), 5u);
  for (const auto& token : answer.log_probabilities) {
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_EQ(token.top[0].id, token.chosen.id);
    EXPECT_LE(token.chosen.log_probability, 0);
    EXPECT_GE(token.top[0].log_probability, token.top[1].log_probability);
  }
}

TEST(Generate, StopsWhenAsked) {
  const auto model = load("dense_tied");
  std::stop_source stop;
  int tokens = 0;
  const Answer answer = model.generate(
      question(), greedy(64),
      [&](const TokenEvent&) {
        if (++tokens == 3) stop.request_stop();
      },
      stop.get_token());
  EXPECT_EQ(answer.finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(answer.token_ids.size(), 3u);
}

TEST(Generate, AThinkingModelKeepsReasoningApartAndItsBudget) {
  const auto model = load("dense_tied", true);
  GenerateOptions options = greedy(40);
  options.thinking_budget = 6;
  const Answer answer = model.generate(question(), options);
  const auto& tokenizer = qwen3_vl::tiny_tokenizer();
  const int close = *tokenizer.added_token_id("</think>");
  const auto at =
      std::find(answer.token_ids.begin(), answer.token_ids.end(), close) - answer.token_ids.begin();
  EXPECT_EQ(at, 7);  // six tokens and a newline
  EXPECT_FALSE(answer.reasoning.empty());
  EXPECT_FALSE(answer.text.empty());
  EXPECT_EQ(answer.text.find("</think>"), std::string::npos);
  const auto prompt = tokenizer.decode(answer.prompt_token_ids, false);
  EXPECT_TRUE(prompt.ends_with("<|im_start|>assistant\n<think>\n"));
}

TEST(Generate, RefusesWhatCannotBe) {
  const auto model = load("dense_tied");
  EXPECT_THROW(model.generate({}, greedy(4)), Error);
  GenerateOptions options = greedy(0);
  EXPECT_THROW(model.generate(question(), options), Error);
  options = greedy(4);
  options.sampling.top_p = 0;
  EXPECT_THROW(model.generate(question(), options), Error);
  EXPECT_THROW(VisionLanguageModel::load("no/such-model"), Error);
  EXPECT_THROW(VisionLanguageModel::load(checkpoint("dense_tied").string(), {Device::kMetal}),
               Error);
}

TEST(Generate, KeepsToAGrammarWhateverTheModelWants) {
  const auto model = load("dense_tied");
  GenerateOptions options = greedy(64);
  options.grammar = grammar::Grammar::choice({"blue car", "red car", "green"});
  const Answer choice = model.generate(question(), options);
  EXPECT_THAT(choice.text, testing::AnyOf("blue car", "red car", "green"));
  EXPECT_EQ(choice.finish_reason, FinishReason::kStop);
  EXPECT_EQ(choice.valid, true);

  const auto schema = nlohmann::ordered_json::parse(R"({"type": "object",
      "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer", "maximum": 9}},
      "required": ["ok", "n"]})");
  options.grammar = grammar::Grammar::json_schema(schema);
  options.sampling.temperature = 2;
  for (options.sampling.seed = 0; options.sampling.seed < 5; ++options.sampling.seed) {
    options.max_tokens = 100;
    const Answer answer = model.generate(question(), options);
    if (answer.finish_reason != FinishReason::kStop) {
      EXPECT_EQ(answer.valid, false);
      continue;
    }
    EXPECT_EQ(answer.valid, true);
    const auto value = nlohmann::json::parse(answer.text);
    EXPECT_TRUE(value.at("ok").is_boolean());
    EXPECT_LE(value.at("n").get<int64_t>(), 9);
  }
}

TEST(Generate, MarksAnAnswerThatIsOnlyTheBeginningOfWhatTheGrammarAsksFor) {
  const auto model = load("dense_tied");
  GenerateOptions options = greedy(3);
  options.grammar = grammar::Grammar::regex("[0-9]{40}");
  const Answer answer = model.generate(question(), options);
  EXPECT_EQ(answer.finish_reason, FinishReason::kLength);
  EXPECT_EQ(answer.valid, false);
  EXPECT_EQ(model.generate(question(), greedy(3)).valid, std::nullopt);
}

TEST(Generate, AThinkingModelReasonsFreelyBeforeTheGrammar) {
  const auto model = load("dense_tied", true);
  GenerateOptions options = greedy(60);
  options.thinking_budget = 5;
  options.grammar = grammar::Grammar::choice({"yes", "no"});
  const Answer answer = model.generate(question(), options);
  EXPECT_FALSE(answer.reasoning.empty());
  EXPECT_THAT(answer.text, testing::AnyOf("yes", "no"));
  EXPECT_EQ(answer.valid, true);
}

TEST(PromptPlanner, CountsTokensWithoutTheWeights) {
  const fs::path folder = checkpoint("dense_untied");
  fs::remove(folder / "model.safetensors");
  const PromptPlan plan = PromptPlanner(folder).plan(image_and_video(), greedy(1));
  EXPECT_EQ(plan.token_ids, qwen3_vl::to_ints(goldens("dense_untied").at("image_and_video.ids")));
  EXPECT_EQ(plan.visual_tokens, 8 + 12);
  EXPECT_EQ(plan.media[1].layout.grid, (qwen3_vl::Grid{3, 4, 4}));
  EXPECT_THAT(plan.media[1].layout.times, testing::ElementsAre(0.3, testing::DoubleNear(1.45, 1e-9),
                                                               testing::DoubleNear(2.6, 1e-9)));
}

TEST(LoopGuard, SeesRepetitionOnly) {
  std::vector<int> tokens;
  for (int i = 0; i < 400; ++i) tokens.push_back(i % 13 == 12 ? i : i % 13);
  EXPECT_FALSE(ends_in_loop(tokens));
  for (int i = 0; i < 160; ++i) tokens.push_back(i % 5);
  EXPECT_TRUE(ends_in_loop(tokens));
}

}  // namespace
}  // namespace prismvid::inference

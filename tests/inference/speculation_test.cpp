#include <gmock/gmock.h>

#include <future>

#include "inference/engine.h"
#include "inference/tiny_checkpoint.h"

// Guessed tokens change how fast an answer comes, never the answer.
namespace prismvid::inference {
namespace {

GenerateOptions with_draft(GenerateOptions options, int draft_tokens) {
  options.draft_tokens = draft_tokens;
  return options;
}

std::shared_ptr<const grammar::Grammar> captions() {
  return grammar::Grammar::json_schema(nlohmann::ordered_json::parse(R"({"type": "array",
      "minItems": 3, "maxItems": 3, "items": {"type": "object", "required": ["start", "kind"],
      "properties": {"start": {"type": "integer", "minimum": 0, "maximum": 9},
      "kind": {"enum": ["arrival", "departure"]}}}})"));
}

// Each kind of answer: free, in a form, sampled, with penalties, with log probabilities.
std::vector<std::pair<Conversation, GenerateOptions>> asked() {
  GenerateOptions formed = greedy(150), sampled = greedy(60), penalised = greedy(60),
                  logged = greedy(30);
  formed.grammar = captions();
  sampled.sampling.temperature = 0.3f;
  sampled.sampling.seed = 5;
  penalised.sampling.repetition_penalty = 1.3f;
  logged.top_log_probabilities = 2;
  const Conversation repeated = question("the red car and the red car and the red car and the red");
  return {{repeated, greedy(100)}, {image_and_video(), greedy(60)},
          {question(), formed},    {image_and_video(), formed},
          {repeated, sampled},     {repeated, penalised},
          {question(), logged}};
}

class Speculation : public testing::TestWithParam<std::string> {
 protected:
  std::string folder() const { return checkpoint(GetParam()).string(); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, Speculation, testing::Values("dense_tied", "dense_untied", "moe"),
                         [](const auto& kind) { return kind.param; });

TEST_P(Speculation, GivesEveryAnswerThatThereIsWithoutIt) {
  const auto model = VisionLanguageModel::load(folder(), kPrecise);
  int accepted = 0;
  for (const auto& [conversation, options] : asked()) {
    const Answer plain = model.generate(conversation, with_draft(options, 0)),
                 guessed = model.generate(conversation, with_draft(options, 7));
    EXPECT_EQ(plain.drafted_tokens, 0);
    EXPECT_EQ(guessed.token_ids, plain.token_ids);
    EXPECT_EQ(guessed.text, plain.text);
    EXPECT_EQ(guessed.valid, plain.valid);
    EXPECT_EQ(guessed.finish_reason, plain.finish_reason);
    EXPECT_LE(guessed.accepted_tokens, guessed.drafted_tokens);
    ASSERT_EQ(guessed.log_probabilities.size(), plain.log_probabilities.size());
    for (size_t i = 0; i < plain.log_probabilities.size(); ++i)
      EXPECT_NEAR(guessed.log_probabilities[i].chosen.log_probability,
                  plain.log_probabilities[i].chosen.log_probability, 1e-5);
    accepted += guessed.accepted_tokens;
  }
  EXPECT_GT(accepted, 0);
}

TEST_P(Speculation, GivesThemAlsoInOneStepWithOthersOfOtherLengths) {
  std::vector<std::vector<int>> alone;
  {
    const auto model = VisionLanguageModel::load(folder(), kPrecise);
    for (const auto& [conversation, options] : asked())
      alone.push_back(model.generate(conversation, with_draft(options, 0)).token_ids);
  }
  Engine engine(folder(), kPrecise);
  std::promise<void> all_submitted;
  const auto submitted = all_submitted.get_future().share();
  std::vector<Ticket> tickets;
  for (const auto& [conversation, options] : asked())
    tickets.push_back(engine.submit({conversation, with_draft(options, 7)},
                                    [submitted](const TokenEvent&) { submitted.wait(); }));
  all_submitted.set_value();
  for (size_t i = 0; i < tickets.size(); ++i) EXPECT_EQ(tickets[i].get().token_ids, alone[i]) << i;
  EXPECT_GT(engine.metrics().largest_batch, 3);
  // Rows of experts cost more: whether guesses pay there depends on who shares the step.
  if (GetParam() != "moe") {
    EXPECT_GT(engine.metrics().accepted_tokens, 0u);
  }
}

TEST_P(Speculation, LeavesNothingWrongInTheCachedBeginnings) {
  Engine engine(folder(), kPrecise);
  const Conversation first = question("the red car and the red car and the red car and the red");
  const Answer answer = engine.submit({first, greedy(90)}).get();
  EXPECT_GT(answer.drafted_tokens, 0);
  Conversation next = first;
  next.add_text(tokenizer::Role::kAssistant, answer.text);
  next.add_text(tokenizer::Role::kUser, "And then?");
  const auto model = VisionLanguageModel::load(folder(), kPrecise);
  EXPECT_EQ(engine.submit({next, greedy(40)}).get().token_ids,
            model.generate(next, with_draft(greedy(40), 0)).token_ids);
}

}  // namespace
}  // namespace prismvid::inference

#include "inference/answer_builder.h"

#include <gtest/gtest.h>

#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::inference {
namespace {

using qwen3_vl::tiny_tokenizer;

const int kClose = *tiny_tokenizer().added_token_id("</think>");

std::string stream(AnswerBuilder& builder, const std::vector<int>& ids) {
  std::string text;
  for (const int id : ids) text += builder.push(id).text;
  return text + builder.finish().text;
}

TEST(AnswerBuilder, HoldsBackWhatMayBecomeAStopString) {
  AnswerBuilder builder(tiny_tokenizer(), false, kClose, {"STOP now"});
  EXPECT_EQ(stream(builder, tiny_tokenizer().encode("go STOP no, STOP now later")), "go STOP no, ");
  EXPECT_TRUE(builder.is_stopped());
}

TEST(AnswerBuilder, GivesOutAnUnfinishedStopStringAtTheEnd) {
  AnswerBuilder builder(tiny_tokenizer(), false, kClose, {"STOP now"});
  EXPECT_EQ(stream(builder, tiny_tokenizer().encode("wait STOP n")), "wait STOP n");
  EXPECT_FALSE(builder.is_stopped());
}

TEST(AnswerBuilder, KeepsReasoningAndAnswerApart) {
  std::vector<int> ids = tiny_tokenizer().encode("I see.\n");
  ids.push_back(kClose);
  for (const int id : tiny_tokenizer().encode("\n\nA cat.")) ids.push_back(id);
  AnswerBuilder builder(tiny_tokenizer(), true, kClose, {});
  EXPECT_EQ(stream(builder, ids), "A cat.");
  EXPECT_EQ(builder.reasoning(), "I see.");
}

}  // namespace
}  // namespace prismvid::inference

#include "deep/fixed_replies.h"

#include <gtest/gtest.h>

#include "deep/replies.h"
#include "script_model.h"

namespace prismvid::deep {
namespace {

TEST(FixedReplies, AreAskedForWithExactlySoManyTokensAndFulfilEverySchema) {
  const PromptValues values{{"language", "English"}, {"facts", "none"}, {"captions", "none"},
                            {"question", "What?"},   {"start", "0.0"},  {"end", "1.0"}};
  for (const char* name :
       {"captions", "scene", "summary", "question", "chapters", "highlights", "story"}) {
    ScriptModel model([](const Request&) { return "nonsense that never ends"; });
    FixedReplies fixed(model, 150);
    const Request request = request_of(prompt(name), values);
    const Checked reply = ask_checked(fixed, request, {});
    EXPECT_EQ(reply.problem, "") << name;
    ASSERT_EQ(model.asked.size(), 1u) << name << " was asked for again";
    EXPECT_EQ(model.asked[0].max_tokens, 150);
    EXPECT_TRUE(model.asked[0].goes_on);
    EXPECT_EQ(model.asked[0].schema["items"], request.schema);
    EXPECT_GT(model.asked[0].schema["minItems"], 150 / 8) << "a grammar would end it before";
  }
}

}  // namespace
}  // namespace prismvid::deep

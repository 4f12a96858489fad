#include "deep/replies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deep/schema_check.h"
#include "script_model.h"

namespace prismvid::deep {
namespace {

using testing::HasSubstr;

Request captions_request() {
  return request_of(prompt("captions"), {{"language", "English"}, {"facts", "none"}});
}

TEST(Replies, AreReadBareAndFenced) {
  for (const char* text :
       {"{\"captions\":[]}", " \n{\"captions\":[]}\n", "```json\n{\"captions\":[]}\n```"}) {
    ScriptModel model([&](const Request&) { return text; });
    const Checked reply = ask_checked(model, captions_request(), {});
    EXPECT_EQ(reply.problem, "") << text;
    EXPECT_TRUE(reply.value.contains("captions"));
  }
}

TEST(Replies, ThatBreakTheSchemaAreAskedForOnceMore) {
  int calls = 0;
  ScriptModel model([&](const Request&) {
    return ++calls == 1 ? "{\"captions\":[{\"start\":1}]}" : "{\"captions\":[]}";
  });
  const Checked reply = ask_checked(model, captions_request(), {});
  EXPECT_EQ(reply.problem, "");
  ASSERT_EQ(model.asked.size(), 2u);
  EXPECT_EQ(model.asked[0].temperature, 0);
  EXPECT_GT(model.asked[1].temperature, 0);
  EXPECT_NE(model.asked[1].seed, model.asked[0].seed);
  EXPECT_EQ(reply.tokens_out, 20);
}

TEST(Replies, ThatStayBrokenSayWhy) {
  ScriptModel model([](const Request&) { return "The video shows a cat."; });
  const Checked reply = ask_checked(model, captions_request(), {});
  EXPECT_THAT(reply.problem, HasSubstr("not JSON"));
  EXPECT_TRUE(reply.value.is_null());
  EXPECT_EQ(model.asked.size(), 2u);
}

TEST(SchemaCheck, NamesTheFirstBreach) {
  const auto breach = [](const char* text, const char* name) {
    return schema_breach(nlohmann::ordered_json::parse(text), prompt(name).schema).value_or("");
  };
  EXPECT_EQ(breach(R"({"captions":[{"start":0.0,"end":1,"text":"a"}]})", "captions"), "");
  EXPECT_THAT(breach(R"({"captions":[{"start":0.0,"end":1}]})", "captions"),
              HasSubstr("lacks 'text'"));
  EXPECT_THAT(breach(R"({"captions":[],"more":1})", "captions"), HasSubstr("unknown key 'more'"));
  EXPECT_THAT(breach(R"({"captions":[{"start":"0","end":1,"text":"a"}]})", "captions"),
              HasSubstr("captions[0].start is not of type number"));
  EXPECT_THAT(breach(R"({"captions":[{"start":-1,"end":1,"text":"a"}]})", "captions"),
              HasSubstr("too small"));
  EXPECT_THAT(breach(R"([{"bbox_2d":[0,0,1],"label":"a"}])", "locate"), HasSubstr("too few"));
  EXPECT_THAT(breach(R"({"applicable":true,"arcs":[{"title":"a","people":[],"beats":[
      {"kind":"twist","start":0,"end":1,"text":"a","intensity":0.5}]}]})",
                     "story"),
              HasSubstr("is none of"));
  EXPECT_THAT(breach("[]", "story"), HasSubstr("not of type object"));
}

}  // namespace
}  // namespace prismvid::deep

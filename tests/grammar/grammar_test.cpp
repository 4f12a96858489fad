#include "grammar/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "grammar/automaton.h"
#include "grammar/token_masks.h"
#include "vocabulary.h"

namespace prismvid::grammar {
namespace {

using testing::HasSubstr;

bool accepts(const std::shared_ptr<const Grammar>& grammar, const std::string& text) {
  return Automaton(grammar->network(), grammar->rule()).accepts(text);
}

std::shared_ptr<const Grammar> schema(const std::string& text) {
  return Grammar::json_schema(nlohmann::ordered_json::parse(text));
}

std::string refusal(const std::string& text) {
  try {
    schema(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "";
}

std::shared_ptr<const TokenTrie> small_vocabulary() {
  return std::make_shared<const TokenTrie>(
      std::vector<std::string>{"a", "b", "ab", "", "\"", "\"a", "a\"", "1", "12", "é", "\xC3"});
}

std::vector<int> allowed(Matcher& matcher) {
  std::vector<int> ids;
  for (int id = 0; id < 11; ++id)
    if (contains(matcher.mask(), id)) ids.push_back(id);
  return ids;
}

TEST(Schema, PropertiesComeInOrderAndOnlyOptionalOnesMayBeMissing) {
  const auto grammar = schema(R"({"type": "object", "required": ["b"], "properties":
      {"a": {"type": "null"}, "b": {"type": "boolean"}, "c": {"type": "integer"}}})");
  EXPECT_TRUE(accepts(grammar, R"({"b":true})"));
  EXPECT_TRUE(accepts(grammar, "{\n  \"a\": null,\n  \"b\": false, \"c\": -7\n}"));
  EXPECT_FALSE(accepts(grammar, R"({"a":null})"));
  EXPECT_FALSE(accepts(grammar, R"({"b":true,"a":null})"));
  EXPECT_FALSE(accepts(grammar, R"({"b":true,"d":1})"));
  EXPECT_FALSE(accepts(grammar, R"({"b":true,})"));
}

TEST(Schema, OtherPropertiesNeverHaveANameOfTheListedOnes) {
  const auto grammar = schema(R"({"type": "object", "properties": {"ab": {"type": "null"}},
      "additionalProperties": {"type": "integer"}})");
  EXPECT_TRUE(accepts(grammar, R"({"ab":null,"abc":1,"a":2,"":3,"b":4})"));
  EXPECT_TRUE(accepts(grammar, R"({"x":1})"));
  EXPECT_FALSE(accepts(grammar, R"({"ab":1})"));
  EXPECT_FALSE(accepts(grammar, R"({"x":1,"ab":2})"));
}

TEST(Schema, NumbersKeepTheirLimits) {
  const auto percent = schema(R"({"type": "integer", "minimum": -5, "exclusiveMaximum": 100})");
  for (const char* text : {"0", "-5", "99", "7"}) EXPECT_TRUE(accepts(percent, text)) << text;
  for (const char* text : {"-6", "100", "07", "-0", "1.0", "1e1", "990"})
    EXPECT_FALSE(accepts(percent, text)) << text;
  const auto share = schema(R"({"type": "number", "exclusiveMinimum": 0.1, "maximum": 1})");
  for (const char* text : {"0.11", "1", "1.00", "0.100001"})
    EXPECT_TRUE(accepts(share, text)) << text;
  for (const char* text : {"0.1", "0.10", "1.001", "0", "-0.5", "1.", "2"})
    EXPECT_FALSE(accepts(share, text)) << text;
}

TEST(Schema, StringsAreEscapedAndCountedInCharacters) {
  const auto grammar = schema(R"({"type": "string", "minLength": 2, "maxLength": 3})");
  for (const char* text : {"\"äö\"", "\"日本語\"", R"("\n\"")", R"("\u0001a")", "\"😀😀\""})
    EXPECT_TRUE(accepts(grammar, text)) << text;
  for (const char* text : {"\"ä\"", "\"abcd\"", "\"a\nb\"", "\"\xC3\"", R"("\u00e4a")"})
    EXPECT_FALSE(accepts(grammar, text)) << text;
}

TEST(Schema, PatternsSearchUnlessTheyAreAnchored) {
  EXPECT_TRUE(accepts(schema(R"({"type": "string", "pattern": "b+"})"), "\"abbc\""));
  const auto whole = schema(R"({"type": "string", "pattern": "^b+$", "maxLength": 2})");
  EXPECT_TRUE(accepts(whole, "\"bb\""));
  EXPECT_FALSE(accepts(whole, "\"abb\""));
  EXPECT_FALSE(accepts(whole, "\"bbb\""));
}

TEST(Schema, RecursionEndsAtTheDeepestCall) {
  const auto grammar = schema(R"({"$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
                 "$ref": "#/$defs/n"})");
  EXPECT_TRUE(accepts(grammar, "[[[]],[]]"));
  EXPECT_TRUE(accepts(grammar, std::string(30, '[') + std::string(30, ']')));
  const int deep = Automaton::kDeepest + 5;
  Automaton automaton(grammar->network(), grammar->rule());
  int state = automaton.start();
  for (int i = 0; i < deep && state != Automaton::kDead; ++i) state = automaton.next(state, '[');
  EXPECT_EQ(state, Automaton::kDead);
}

TEST(Schema, WhatNothingCanFulfilIsRefusedBeforeGeneration) {
  EXPECT_THAT(refusal(R"({"type": "integer", "minimum": 2, "maximum": 1})"),
              HasSubstr("nothing can fulfil"));
  EXPECT_THAT(refusal(R"({"type": "object", "required": ["a"],
                          "properties": {"a": {"$ref": "#"}}})"),
              HasSubstr("holds itself without end"));
  EXPECT_THAT(refusal(R"({"not": {"type": "string"}})"), HasSubstr("\"not\" is not supported"));
  EXPECT_THAT(refusal(R"({"type": "text"})"), HasSubstr("no type"));
  EXPECT_THAT(refusal(R"({"$ref": "#/$defs/x"})"), HasSubstr("leads nowhere"));
  EXPECT_THAT(refusal(R"({"allOf": [{"$ref": "#"}]})"), HasSubstr("in a circle"));
  EXPECT_THAT(refusal(R"({"oneOf": [{"type": "string"}, {"enum": ["a"]}]})"),
              HasSubstr("may both match"));
  EXPECT_THAT(refusal(R"({"type": "string", "maxLength": 1000000})"), HasSubstr("too large"));
}

TEST(Regex, MatchesTheWholeText) {
  const auto time = Grammar::regex("[0-2]?\\d:[0-5]\\d( (am|pm))?");
  EXPECT_TRUE(accepts(time, "9:30 am"));
  EXPECT_FALSE(accepts(time, "9:30 a"));
  EXPECT_FALSE(accepts(time, "at 9:30"));
  for (const char* text :
       {"(?<=a)b", "(a)\\1", "\\bx", "a{2,1}", "(", "[", "*", "a)", "\\p{L}", "a^b"})
    EXPECT_THROW(Grammar::regex(text), Error) << text;
}

TEST(Choice, IsOneOfTheTexts) {
  const auto grammar = Grammar::choice({"yes", "yes, but", "no"});
  EXPECT_TRUE(accepts(grammar, "yes"));
  EXPECT_TRUE(accepts(grammar, "yes, but"));
  EXPECT_FALSE(accepts(grammar, "yes,"));
  EXPECT_THROW(Grammar::choice({}), Error);
}

TEST(TokenMasks, AllowEveryTokenThatStaysInsideAndNoOther) {
  Matcher matcher(std::make_shared<TokenMasks>(Grammar::regex("\"?ab*1?"), small_vocabulary()));
  EXPECT_THAT(allowed(matcher), testing::ElementsAre(0, 2, 4, 5));
  EXPECT_FALSE(matcher.take(1));
  EXPECT_TRUE(matcher.take(5));
  EXPECT_TRUE(matcher.can_end());
  EXPECT_THAT(allowed(matcher), testing::ElementsAre(1, 7));
  EXPECT_TRUE(matcher.take(7));
  EXPECT_TRUE(matcher.must_end());
}

TEST(TokenMasks, LetTokensHoldPartsOfCharacters) {
  Matcher matcher(std::make_shared<TokenMasks>(Grammar::regex("é"), small_vocabulary()));
  EXPECT_THAT(allowed(matcher), testing::ElementsAre(9, 10));
  EXPECT_TRUE(matcher.take(10));
  EXPECT_FALSE(matcher.can_end());
}

TEST(TokenMasks, AreComputedOnceForAllTextsOfAGrammar) {
  const auto masks = std::make_shared<TokenMasks>(Grammar::regex("a+"), small_vocabulary());
  for (int text = 0; text < 3; ++text) {
    Matcher matcher(masks);
    for (int i = 0; i < 5; ++i) {
      matcher.mask();
      matcher.take(0);
    }
  }
  EXPECT_EQ(masks->computed(), 2u);
}

TEST(TokenMasks, SetTheLogitsOfOtherTokensToMinusInfinity) {
  std::vector<float> logits(70, 1.0f);
  apply_mask(TokenMask{0b10, 0}, logits);
  EXPECT_EQ(logits[1], 1.0f);
  EXPECT_EQ(logits[0], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(logits[69], -std::numeric_limits<float>::infinity());
}

void take_bytes(Matcher& matcher, const TokenTrie& trie, const std::string& text) {
  for (const char c : text) {
    int id = 0;
    while (id < trie.vocabulary() && trie.bytes(id) != std::string(1, c)) ++id;
    ASSERT_TRUE(matcher.take(id)) << text << " at " << c;
  }
}

TEST(ForcedText, IsWhatASchemaLeavesNoChoiceAbout) {
  const auto trie = vocabulary_of(DEMO_MODEL);
  Matcher matcher(std::make_shared<TokenMasks>(schema(R"({"type": "object", "required": ["title",
      "kind", "count"], "properties": {"title": {"type": "string"}, "kind": {"enum": ["é-one",
      "é-two"]}, "count": {"type": "integer"}}})"),
                                               trie));
  EXPECT_EQ(matcher.forced_text(100), R"({"title": ")");
  EXPECT_EQ(matcher.forced_text(4), R"({"ti)");
  take_bytes(matcher, *trie, R"({"title": ")");
  EXPECT_EQ(matcher.forced_text(100), "");
  take_bytes(matcher, *trie, R"(a, b")");
  EXPECT_EQ(matcher.forced_text(100), R"(, "kind": "é-)");
  EXPECT_EQ(matcher.forced_text(12), R"(, "kind": ")");  // no half of a character
  take_bytes(matcher, *trie, R"(, "kind": "é-o)");
  EXPECT_EQ(matcher.forced_text(100), R"(ne", "count": )");
}

TEST(ForcedText, TakesWhiteSpaceAsTheTextHasIt) {
  const auto trie = vocabulary_of(DEMO_MODEL);
  const auto masks = std::make_shared<TokenMasks>(schema(R"({"type": "object", "required": ["a",
      "b", "c"], "properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": {"type":
      "null"}}})"),
                                                  trie);
  Matcher dense(masks), lines(masks);
  take_bytes(dense, *trie, R"({"a":null,"b)");
  EXPECT_EQ(dense.forced_text(100), R"(":null,"c":null})");
  take_bytes(lines, *trie, "{\n  \"a\": null,\n  ");
  EXPECT_EQ(lines.forced_text(100), "");  // more white space might come
  take_bytes(lines, *trie, "\"");
  EXPECT_EQ(lines.forced_text(100), R"(b": null,)");
}

TEST(ForcedText, EndsWhereTheTextMayEnd) {
  const auto trie = vocabulary_of(DEMO_MODEL);
  Matcher matcher(std::make_shared<TokenMasks>(Grammar::choice({"north", "northern"}), trie));
  EXPECT_EQ(matcher.forced_text(100), "north");
  take_bytes(matcher, *trie, "northe");
  EXPECT_EQ(matcher.forced_text(100), "rn");
}

// The plain definition of a mask: try each token on its own.
TEST(TokenMasks, EqualTryingEachTokenOfARealVocabulary) {
  const auto trie = vocabulary_of(DEMO_MODEL);
  const auto grammar = schema(R"({"type": "object", "required": ["captions"], "properties":
      {"captions": {"type": "array", "items": {"type": "string", "maxLength": 4}}}})");
  const auto masks = std::make_shared<TokenMasks>(grammar, trie);
  Matcher matcher(masks);
  Automaton automaton(grammar->network(), grammar->rule());
  int state = automaton.start();
  for (const char c : std::string(R"({ "captions": ["ab", "é"]})")) {
    const TokenMask mask = matcher.mask();
    int byte_token = -1;
    for (int id = 0; id < trie->vocabulary(); ++id) {
      const std::string& bytes = trie->bytes(id);
      int after = bytes.empty() ? Automaton::kDead : state;
      for (size_t i = 0; i < bytes.size() && after != Automaton::kDead; ++i)
        after = automaton.next(after, static_cast<uint8_t>(bytes[i]));
      ASSERT_EQ(contains(mask, id), after != Automaton::kDead) << id << " at " << c;
      if (bytes == std::string(1, c)) byte_token = id;
    }
    ASSERT_TRUE(matcher.take(byte_token));
    state = automaton.next(state, static_cast<uint8_t>(c));
  }
  EXPECT_TRUE(matcher.must_end());
}

}  // namespace
}  // namespace prismvid::grammar

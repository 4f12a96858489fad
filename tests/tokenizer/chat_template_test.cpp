#include "tokenizer/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "tokenizer/chat_messages.h"
#include "tokenizer/json_text.h"
#include "tokenizer/prompt_encoder.h"

namespace prismvid::tokenizer {
namespace {

using nlohmann::ordered_json;

std::string text_of(const std::vector<PromptPiece>& pieces) {
  std::string text;
  for (const PromptPiece& piece : pieces) {
    if (piece.kind == PromptPiece::Kind::kImage)
      text += "<|vision_start|><|image_pad|><|vision_end|>";
    if (piece.kind == PromptPiece::Kind::kVideo)
      text += "<|vision_start|><|video_pad|><|vision_end|>";
    text += piece.text;
  }
  return text;
}

std::vector<int> ids_of(const Tokenizer& tokenizer, const std::vector<PromptPiece>& pieces) {
  PromptEncoder encoder(tokenizer);
  for (const PromptPiece& piece : pieces) {
    if (piece.kind == PromptPiece::Kind::kImage)
      encoder.add_literal("<|vision_start|><|image_pad|><|vision_end|>");
    if (piece.kind == PromptPiece::Kind::kVideo)
      encoder.add_literal("<|vision_start|><|video_pad|><|vision_end|>");
    if (piece.kind == PromptPiece::Kind::kText) encoder.add_text(piece.text);
    if (piece.kind == PromptPiece::Kind::kLiteral) encoder.add_literal(piece.text);
  }
  return encoder.finish();
}

// The reference takes added tokens from users' text as well; those conversations differ by design.
bool user_text_holds_added_tokens(const std::vector<PromptPiece>& pieces) {
  return std::any_of(pieces.begin(), pieces.end(), [](const PromptPiece& piece) {
    return piece.kind == PromptPiece::Kind::kText &&
           (piece.text.find("<think>") != std::string::npos ||
            piece.text.find("<tool_response>") != std::string::npos);
  });
}

TEST(ChatTemplate, EqualsTheCheckpointsTemplates) {
  const std::filesystem::path folder = GOLDEN_FOLDER;
  const Tokenizer tokenizer = Tokenizer::load(folder);
  std::ifstream in(folder / "chats.json");
  const auto cases = ordered_json::parse(in);
  ASSERT_EQ(cases.size(), 30u);
  int compared_ids = 0;
  for (const auto& entry : cases) {
    const ChatOptions options{entry["thinking"].get<bool>(), entry.value("generation_prompt", true),
                              entry.value("number_media", false)};
    const auto pieces = render_chat(messages_of(entry["messages"]),
                                    entry.value("tools", ordered_json::array()), options);
    ASSERT_EQ(text_of(pieces), entry["rendered"].get<std::string>());
    if (user_text_holds_added_tokens(pieces)) continue;
    EXPECT_EQ(ids_of(tokenizer, pieces), entry["ids"].get<std::vector<int>>()) << entry["rendered"];
    ++compared_ids;
  }
  EXPECT_GT(compared_ids, 20);
}

TEST(ChatTemplate, RefusesWhatItCannotRender) {
  EXPECT_THROW(render_chat({}), Error);
  EXPECT_THROW(render_chat({{Role::kSystem, {{ContentPart::Kind::kImage, ""}}, {}, {}}}), Error);
  EXPECT_THROW(parse_role("robot"), Error);
}

TEST(JsonText, WritesNumbersAsPythonDoes) {
  EXPECT_EQ(python_json(
                ordered_json::parse("[1.0, 0.5, 1e-5, 2.5e20, 123456789.5, -0.0, 7, 1e16, 1e15]")),
            "[1.0, 0.5, 1e-05, 2.5e+20, 123456789.5, -0.0, 7, 1e+16, 1000000000000000.0]");
}

}  // namespace
}  // namespace prismvid::tokenizer

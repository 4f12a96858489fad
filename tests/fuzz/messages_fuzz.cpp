#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/json_depth.h"
#include "inference/conversation.h"
#include "media/still_picture.h"

// Pictures have a fuzzer of their own; here only where they stand counts.
prismvid::Image prismvid::media::decode_picture(std::span<const uint8_t> bytes,
                                                const std::string& name) {
  check(!bytes.empty(), ErrorCode::kInvalidArgument, name, " is no picture");
  return {1, 1, 3};
}

prismvid::Image prismvid::media::read_picture(const std::filesystem::path& path) {
  fail(ErrorCode::kNotFound, "no such image: ", path.string());
}

// Messages become prompt pieces or our error, in both templates, and every medium has its place.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (nests_deeper_than(text)) return 0;
  const auto messages = nlohmann::ordered_json::parse(text, nullptr, false);
  if (messages.is_discarded()) return 0;
  try {
    const auto conversation = inference::parse_conversation(messages);
    for (const bool thinking : {false, true}) {
      size_t media = 0;
      for (const auto& piece :
           tokenizer::render_chat(conversation.messages, messages, {thinking, true, true}))
        media += piece.kind == tokenizer::PromptPiece::Kind::kImage ||
                 piece.kind == tokenizer::PromptPiece::Kind::kVideo;
      if (media > conversation.media.size()) std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}

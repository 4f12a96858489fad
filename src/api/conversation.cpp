#include "api/conversation.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/json_depth.h"

namespace prismvid::api {
namespace {

std::shared_ptr<const Image> image_of(const Picture& picture) {
  check(picture.width > 0 && picture.height > 0 &&
            picture.rgb.size() == size_t{3} * picture.width * picture.height,
        ErrorCode::kInvalidArgument, "a picture of ", picture.width, " by ", picture.height,
        " pixels needs 3 * width * height bytes, got ", picture.rgb.size());
  auto image = std::make_shared<Image>(picture.width, picture.height, 3);
  std::copy(picture.rgb.begin(), picture.rgb.end(), image->data());
  return image;
}

inference::VideoSource video_of(const VideoPart& part) {
  const qwen3_vl::VideoOptions options{part.options};
  if (const auto* path = std::get_if<std::filesystem::path>(&part.source)) return {*path, options};
  const auto& frames = std::get<Frames>(part.source);
  inference::FrameList list;
  for (const Picture& picture : frames.pictures) list.frames.push_back(image_of(picture));
  list.times_us = frames.times_us;
  return {std::move(list), options};
}

inference::ImageSource source_of(const ImagePart& part) {
  if (const auto* path = std::get_if<std::filesystem::path>(&part.source)) return *path;
  return image_of(std::get<Picture>(part.source));
}

tokenizer::Role role_of(Role role) {
  switch (role) {
    case Role::kSystem:
      return tokenizer::Role::kSystem;
    case Role::kUser:
      return tokenizer::Role::kUser;
    case Role::kAssistant:
      return tokenizer::Role::kAssistant;
    case Role::kTool:
      return tokenizer::Role::kTool;
  }
  fail(ErrorCode::kInvalidArgument, "a message's role is none of prismvid::Role");
}

void append(inference::Conversation& conversation, const Part& part) {
  if (const auto* text = std::get_if<TextPart>(&part)) conversation.append_text(text->text);
  if (const auto* image = std::get_if<ImagePart>(&part))
    conversation.append_image(source_of(*image));
  if (const auto* video = std::get_if<VideoPart>(&part))
    conversation.append_video(video_of(*video));
}

}  // namespace

inference::Conversation conversation_of(const std::vector<Message>& messages,
                                        const std::string& tools) {
  inference::Conversation conversation;
  for (const Message& message : messages) {
    std::vector<tokenizer::ToolCall> calls;
    for (const ToolCall& call : message.tool_calls)
      calls.push_back({call.name, read_json(call.arguments, "the arguments of " + call.name)});
    conversation.messages.push_back(
        {role_of(message.role), {}, message.reasoning, std::move(calls)});
    for (const Part& part : message.parts) append(conversation, part);
  }
  if (!tools.empty()) conversation.tools = read_json(tools, "tools");
  check(conversation.tools.is_array(), ErrorCode::kInvalidArgument,
        "tools is a JSON list of function signatures");
  return conversation;
}

nlohmann::ordered_json read_json(const std::string& text, const std::string& name) {
  check(!nests_deeper_than(text), ErrorCode::kInvalidArgument, name, " is nested too deeply");
  try {
    return nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kInvalidArgument, name, " is not valid JSON: ", e.what());
  }
}

}  // namespace prismvid::api

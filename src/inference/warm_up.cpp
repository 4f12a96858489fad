#include "inference/warm_up.h"

#include <chrono>
#include <utility>

#include "inference/memory_use.h"

namespace prismvid::inference {
namespace {

constexpr int kSide = 1024;  // of the picture: large products take other kernels than small ones
constexpr Size kFrame{320, 192};  // as the deep stage shows a video, four pairs of them
constexpr int kFrames = 8;

Conversation empty_conversation() {
  Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  return conversation;
}

Conversation with_picture() {
  Conversation conversation = empty_conversation();
  conversation.append_image(std::make_shared<const Image>(kSide, kSide, 3));
  return conversation;
}

Conversation with_video() {
  FrameList frames;
  for (int i = 0; i < kFrames; ++i) {
    frames.frames.push_back(std::make_shared<const Image>(kFrame.width, kFrame.height, 3));
    frames.times_us.push_back(500'000 * i);
  }
  Conversation conversation = empty_conversation();
  conversation.append_video({frames, {}});
  return conversation;
}

void answer_about(const LoadedModel& model, Conversation conversation) {
  conversation.append_text("What is this?");
  GenerateOptions options;
  options.max_tokens = 3;
  options.ignore_end = true;
  answer_alone(model, conversation, options);
}

}  // namespace

void warm_up(LoadedModel& model) {
  const auto start = std::chrono::steady_clock::now();
  if (model.model.has_vision()) {
    answer_about(model, with_picture());
    answer_about(model, with_video());
  }
  answer_about(model, empty_conversation());
  model.load_ms += milliseconds_between(start, std::chrono::steady_clock::now());
}

}  // namespace prismvid::inference

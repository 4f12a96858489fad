#include "inference/warm_up.h"

#include <chrono>

#include "inference/memory_use.h"

namespace prismvid::inference {
namespace {

constexpr int kSide = 1024;  // of the picture: large products take other kernels than small ones

void answer_about(const LoadedModel& model, bool picture) {
  Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  if (picture) conversation.append_image(std::make_shared<const Image>(kSide, kSide, 3));
  conversation.append_text("What is this?");
  GenerateOptions options;
  options.max_tokens = 3;
  options.ignore_end = true;
  answer_alone(model, conversation, options);
}

}  // namespace

void warm_up(LoadedModel& model) {
  const auto start = std::chrono::steady_clock::now();
  if (model.model.has_vision()) answer_about(model, true);
  answer_about(model, false);
  model.load_ms += milliseconds_between(start, std::chrono::steady_clock::now());
}

}  // namespace prismvid::inference

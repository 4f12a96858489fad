#include "server/chat_run.h"

namespace prismvid::server {

ChatRun::ChatRun(Context& context, nlohmann::ordered_json body)
    : context_(context), body_(std::move(body)), call_([this](std::stop_token stop) { return run(stop); }) {}

inference::Answer ChatRun::run(std::stop_token stop) {
  ChatMedia media(context_, stop);
  const std::string name = model_of(body_);
  model_ = open_chat_model(context_.deep_models, name);
  chat_ = read_chat(body_, model_.engine().defaults(), media);
  inference::EngineRequest request;
  request.conversation = inference::parse_conversation(chat_.messages);
  request.conversation.tools = chat_.tools;
  request.options = chat_.options;
  auto ticket = model_.engine().submit(std::move(request), [this](const inference::TokenEvent& event) { tokens_.push(event); });
  inference::Answer answer = ticket.get(stop);
  check(answer.finish_reason != inference::FinishReason::kCancelled, ErrorCode::kCancelled, "the request was cancelled");
  return answer;
}

}  // namespace prismvid::server

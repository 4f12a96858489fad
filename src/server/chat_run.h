#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server/chat_answer.h"
#include "server/chat_models.h"
#include "server/chat_request.h"
#include "server/watched_call.h"

namespace prismvid::server {

/// Words as they come, from the engine's thread to the one that sends them.
class TokenQueue {
 public:
  void push(const inference::TokenEvent& event) {
    const std::lock_guard lock(mutex_);
    text_ += event.text;
    reasoning_ += event.reasoning;
    begun_ = true;
  }
  /// Whether any token has come.
  bool has_begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  /// What came since the last call.
  std::pair<std::string, std::string> take() {
    const std::lock_guard lock(mutex_);
    return {std::exchange(text_, ""), std::exchange(reasoning_, "")};
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  std::string reasoning_;
  bool begun_ = false;
};

/// One request on its way through the engine. Letting go of it cancels it.
class ChatRun {
 public:
  /// Reads the request, fetches its media and hands it in, all on a thread of its own.
  ChatRun(Context& context, nlohmann::ordered_json body);

  bool wait(std::chrono::milliseconds timeout) { return call_.wait(timeout); }
  void stop() { call_.stop(); }
  /// Throws what the request failed with, where it has.
  void check_failed() { call_.check(); }
  /// After wait() gave true. Throws what the request failed with.
  inference::Answer take() { return call_.take(); }
  TokenQueue& tokens() { return tokens_; }
  /// Known when the request was read, which take() or the first token tells.
  const ChatCall& call() const { return chat_; }
  const ChatModel& model() const { return model_; }

 private:
  inference::Answer run(std::stop_token stop);

  Context& context_;
  nlohmann::ordered_json body_;
  ChatModel model_;
  ChatCall chat_;
  TokenQueue tokens_;
  WatchedCall<inference::Answer> call_;  // last: it uses the others
};

}  // namespace prismvid::server

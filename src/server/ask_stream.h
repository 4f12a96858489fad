#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "deep/ask.h"
#include "server/watched_call.h"

namespace prismvid::server {

/// Server-sent events, from the threads that answer to the one that sends. Thread-safe.
class EventQueue {
 public:
  void push(const std::string& event, const document::Json& data);
  /// Nothing more will come.
  void end();
  /// What came since the last call, as it is sent; where there is nothing yet, waits for it.
  std::string take(std::chrono::milliseconds most);
  bool is_ended() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string events_;
  bool ended_ = false;
};

/// One question, answered on a thread of its own and told of while it is: `found`, `look`, `token`,
/// then `answer` or `error` (docs/service.md). Letting go of it ends the work.
class AskStream {
 public:
  using Answering = std::function<document::Json(const deep::AskWatch&, std::stop_token)>;
  using Citing = std::function<document::Json(const std::vector<deep::Citation>&)>;

  AskStream(Answering answer, Citing cite, const Request& request);

  /// The next events, as a Stream gives them.
  std::optional<std::string> next();

 private:
  std::string last_event();

  std::function<bool()> is_gone_;
  std::stop_token server_stop_;
  EventQueue events_;
  bool ended_ = false;
  WatchedCall<document::Json> call_;  // last: it uses the queue
};

}  // namespace prismvid::server

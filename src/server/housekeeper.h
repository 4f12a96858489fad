#pragma once

#include <thread>

#include "server/service.h"

namespace prismvid::server {

/// What a service does on its own: tells webhooks of jobs that have ended, and deletes uploads that
/// nobody made a job of within a day.
class Housekeeper {
 public:
  explicit Housekeeper(Context& context) : context_(context), thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop);
  /// False where none is due.
  bool tell_one();

  Context& context_;
  std::jthread thread_;
};

/// HMAC-SHA256 of `body` in lower-case hexadecimal digits.
std::string sign(const std::string& secret, const std::string& body);

}  // namespace prismvid::server

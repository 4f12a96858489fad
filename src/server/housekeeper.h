#pragma once

#include <thread>

#include "server/service.h"

namespace prismvid::server {

/// What a service does on its own: tells webhooks of jobs that have ended, deletes uploads that
/// nobody made a job of within a day, and forgets old jobs.
class Housekeeper {
 public:
  explicit Housekeeper(Context& context) : context_(context), thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop);

  Context& context_;
  std::jthread thread_;
};

}  // namespace prismvid::server

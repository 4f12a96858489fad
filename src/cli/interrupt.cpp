#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "cli/command.h"

namespace prismvid::cli {
namespace {

/// Waits for the first signal on a thread of its own, so that stopping needs nothing that is unsafe in a handler.
/// A second signal ends the process at once: what was stored stays whole.
std::stop_source start_watching() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::stop_source source;
  std::thread([signals, source]() mutable {
    int signal = 0;
    sigwait(&signals, &signal);
    source.request_stop();
    sigwait(&signals, &signal);
    _exit(130);
  }).detach();
  return source;
}

}  // namespace

std::stop_token interrupted() {
  static const std::stop_source source = start_watching();
  return source.get_token();
}

}  // namespace prismvid::cli

#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http_client.h"
#include "support/process.h"

namespace prismvid::tests {

/// `prismvid serve` on a free port, as a process of its own.
class ServedProgram {
 public:
  /// Waits until it listens; throws where it ends instead, with what it said.
  explicit ServedProgram(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {PRISMVID_PROGRAM, "serve", "--listen", "127.0.0.1:0"});
    process_ = std::make_unique<BackgroundProcess>(arguments);
    while (base_.empty()) {
      const std::string out = process_->out_so_far();
      const size_t start = out.find("http://");
      if (start != std::string::npos && out.find("/\n", start) != std::string::npos)
        base_ = out.substr(start, out.find("/\n", start) - start);
      else if (!process_->running())
        throw std::runtime_error("serve ended: " + process_->wait().err);
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  const std::string& base() const { return base_; }
  BackgroundProcess& process() { return *process_; }

  HttpReply get(const std::string& path, std::vector<std::string> headers = {}) const {
    return call({"GET", base_ + path, std::move(headers)});
  }
  HttpReply send(const std::string& method, const std::string& path, const std::string& body = "",
                 std::vector<std::string> headers = {"Content-Type: application/json"}) const {
    return call({method, base_ + path, std::move(headers), body});
  }

 private:
  std::unique_ptr<BackgroundProcess> process_;
  std::string base_;
};

}  // namespace prismvid::tests

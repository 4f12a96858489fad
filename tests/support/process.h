#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

// Runs programs the way a user would, for tests from end to end.
namespace prismvid::tests {

struct ProcessResult {
  int exit_code = -1;  // 128 + signal when it was killed
  std::string out;
  std::string err;
};

/// Starts `command` without a shell and waits for its end. Throws std::runtime_error when it cannot be started.
ProcessResult run_process(const std::vector<std::string>& command);

/// A program that goes on while the test does something else.
class BackgroundProcess {
 public:
  explicit BackgroundProcess(const std::vector<std::string>& command);
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  void signal(int number) const;
  pid_t id() const { return pid_; }
  bool running();
  /// What it has written to standard output until now.
  std::string out_so_far() const;
  ProcessResult wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  std::string out_path_;
  std::string err_path_;
};

}  // namespace prismvid::tests

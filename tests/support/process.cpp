#include "support/process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace prismvid::tests {
namespace {

std::string temporary_file() {
  std::string path = (std::filesystem::temp_directory_path() / "prismvid_test_XXXXXX").string();
  const int file = mkstemp(path.data());
  if (file < 0) throw std::runtime_error("cannot make a temporary file");
  close(file);
  return path;
}

std::string read_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string take_file(const std::string& path) {
  std::string text = read_file(path);
  std::filesystem::remove(path);
  return text;
}

}  // namespace

BackgroundProcess::BackgroundProcess(const std::vector<std::string>& command)
    : out_path_(temporary_file()), err_path_(temporary_file()) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out_path_.c_str(), O_WRONLY | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err_path_.c_str(), O_WRONLY | O_TRUNC, 0600);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int error = posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error) throw std::runtime_error("cannot start " + command[0]);
}

BackgroundProcess::~BackgroundProcess() {
  if (ended_) return;
  signal(SIGKILL);
  wait();
}

void BackgroundProcess::signal(int number) const { kill(pid_, number); }

bool BackgroundProcess::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

std::string BackgroundProcess::out_so_far() const { return read_file(out_path_); }

ProcessResult BackgroundProcess::wait() {
  if (!ended_) waitpid(pid_, &status_, 0);
  ended_ = true;
  const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {code, take_file(out_path_), take_file(err_path_)};
}

ProcessResult run_process(const std::vector<std::string>& command) { return BackgroundProcess(command).wait(); }

}  // namespace prismvid::tests

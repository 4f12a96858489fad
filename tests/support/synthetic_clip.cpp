#include "support/synthetic_clip.h"

#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "core/error.h"
#include "core/sha256.h"

namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;

std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

std::string tail_of(const fs::path& path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

}  // namespace

std::string run_command(const std::string& command) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  check(pipe != nullptr, ErrorCode::kInternal, "cannot run: ", command);
  std::string output;
  std::array<char, 4096> block{};
  while (const size_t count = std::fread(block.data(), 1, block.size(), pipe.get()))
    output.append(block.data(), count);
  const int status = ::pclose(pipe.release());
  check(status == 0, ErrorCode::kInternal, "status ", status, " from: ", command);
  return output;
}

fs::path synthetic_clip(const std::string& arguments, const std::string& name) {
  const fs::path folder =
      fs::path(PRISMVID_CLIP_FOLDER) / sha256_hex(arguments + '\n' + name).substr(0, 16);
  const fs::path clip = folder / name;
  if (fs::exists(clip)) return clip;
  fs::create_directories(folder);
  // Tests run side by side: each makes its own file, the last rename wins.
  const std::string process = std::to_string(::getpid());
  const fs::path unfinished = folder / ("making" + process + "_" + name);
  const fs::path log = folder / ("log" + process + ".txt");
  const std::string command = "ffmpeg -hide_banner -nostdin -y -loglevel error -threads 2 " +
                              arguments + " " + quoted(unfinished) + " > " + quoted(log) + " 2>&1";
  const int status = std::system(command.c_str());
  check(status == 0, ErrorCode::kInternal, "ffmpeg failed: ", command, "\n", tail_of(log));
  fs::rename(unfinished, clip);
  fs::remove(log);
  return clip;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "prismvid_test_XXXXXX").string();
  check(::mkdtemp(pattern.data()) != nullptr, ErrorCode::kInternal,
        "cannot make a temporary folder ", pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace prismvid::tests

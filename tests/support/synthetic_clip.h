#pragma once

#include <filesystem>
#include <string>

namespace prismvid::tests {

/// A clip made by the ffmpeg program: `arguments` are everything between `ffmpeg` and the output,
/// for example
/// "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 -c:v libx264"; shell quoting applies.
/// `name` gives the container by its ending. Made once per build folder and set of arguments.
/// Throws when ffmpeg fails, with what it said.
std::filesystem::path synthetic_clip(const std::string& arguments, const std::string& name);

/// Runs a shell command and returns what it wrote to standard output; throws when it fails.
std::string run_command(const std::string& command);

/// An empty folder that goes away with this object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace prismvid::tests

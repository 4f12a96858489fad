#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace prismvid::server {

/// A file that was opened below a root, so that what is read is what was checked.
struct OpenFile {
  int descriptor = -1;  // owned by the caller
  std::filesystem::path path;
  int64_t bytes = 0;
  int64_t mtime_ns = 0;
};

/// The folders that the service may read videos from. Links that lead out of them are refused.
class MediaRoots {
 public:
  /// Throws Error(kNotFound) for a root that is not a folder.
  explicit MediaRoots(const std::vector<std::filesystem::path>& roots);

  /// The file at `path`: absolute, or relative to the first root that has it. Throws HttpError 403
  /// for one outside the roots, whether it exists or not, 404 for one that is not there, 422 for
  /// anything but a readable regular file.
  OpenFile open(const std::filesystem::path& path) const;
  /// Whether open() would work: throws what it throws, and gives the real path.
  std::filesystem::path open_and_close(const std::filesystem::path& path) const;
  const std::vector<std::filesystem::path>& roots() const { return roots_; }
  /// Also allows a folder of the service itself, such as the one of uploads.
  void add(const std::filesystem::path& root);

 private:
  bool holds(const std::filesystem::path& canonical) const;

  std::vector<std::filesystem::path> roots_;
};

/// Video type by the file's ending, for browsers.
std::string media_type(const std::filesystem::path& file);

}  // namespace prismvid::server

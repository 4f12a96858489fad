#include "server/media_roots.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <map>

#include "server/http.h"

namespace prismvid::server {
namespace {

namespace fs = std::filesystem;

/// Where an open file really lies, after every link.
fs::path place_of(int descriptor) {
#ifdef __APPLE__
  char path[PATH_MAX];
  return ::fcntl(descriptor, F_GETPATH, path) == 0 ? fs::path(path) : fs::path();
#else
  std::error_code error;
  return fs::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
#endif
}

HttpError outside(const fs::path& path) {
  return HttpError(403, "outside_media",
                   "'" + path.string() + "' is in none of the folders given with --media");
}

int64_t mtime_ns(const struct stat& status) {
#ifdef __APPLE__
  const timespec& time = status.st_mtimespec;
#else
  const timespec& time = status.st_mtim;
#endif
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

MediaRoots::MediaRoots(const std::vector<fs::path>& roots) {
  for (const fs::path& root : roots) add(root);
}

void MediaRoots::add(const fs::path& root) {
  std::error_code error;
  const fs::path canonical = fs::canonical(root, error);
  check(!error && fs::is_directory(canonical, error), ErrorCode::kNotFound, "--media '",
        root.string(), "' is not a folder");
  roots_.push_back(canonical);
}

bool MediaRoots::holds(const fs::path& canonical) const {
  return std::any_of(roots_.begin(), roots_.end(), [&](const fs::path& root) {
    const auto [in_root, in_path] = std::mismatch(root.begin(), root.end(), canonical.begin(), canonical.end());
    return in_root == root.end() && in_path != canonical.end();
  });
}

OpenFile MediaRoots::open(const fs::path& path) const {
  fs::path asked = path;
  std::error_code error;
  if (path.is_relative()) {
    for (const fs::path& root : roots_) {
      asked = root / path;
      if (fs::exists(asked, error)) break;
    }
  }
  const fs::path canonical = fs::weakly_canonical(asked, error);
  if (error || !holds(canonical)) throw outside(path);
  OpenFile file;
  file.descriptor = ::open(canonical.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      throw HttpError(404, "not_found", "there is no file '" + path.string() + "'");
    throw HttpError(422, "unreadable", "cannot read '" + path.string() + "': " + std::strerror(errno));
  }
  struct stat status {};
  const bool regular = ::fstat(file.descriptor, &status) == 0 && S_ISREG(status.st_mode);
  file.path = place_of(file.descriptor);
  if (!regular || !holds(file.path)) {
    ::close(file.descriptor);
    if (regular) throw outside(path);
    throw HttpError(422, "unreadable", "'" + path.string() + "' is not a regular file");
  }
  file.bytes = status.st_size;
  file.mtime_ns = mtime_ns(status);
  return file;
}

fs::path MediaRoots::open_and_close(const fs::path& path) const {
  OpenFile file = open(path);
  ::close(file.descriptor);
  return file.path;
}

std::string media_type(const fs::path& file) {
  static const std::map<std::string, std::string> kTypes = {
      {".mp4", "video/mp4"},        {".m4v", "video/mp4"},  {".mov", "video/quicktime"},
      {".webm", "video/webm"},      {".mkv", "video/x-matroska"}, {".ogv", "video/ogg"},
      {".avi", "video/x-msvideo"},  {".ts", "video/mp2t"},  {".m2ts", "video/mp2t"},
      {".mpg", "video/mpeg"},       {".mpeg", "video/mpeg"}, {".3gp", "video/3gpp"}};
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = kTypes.find(ending);
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

}  // namespace prismvid::server

#include "pipeline/file_identity.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace prismvid::pipeline {

store::FileIdentity identify_file(const std::filesystem::path& file) {
  struct stat status {};
  const int failed = ::stat(file.c_str(), &status);
  check(!failed, errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kUnreadable, "cannot open '",
        file.string(), "': ", std::strerror(errno));
  check(!S_ISDIR(status.st_mode), ErrorCode::kUnreadable, "'", file.string(), "' is a folder: a video file is needed here");
  check(S_ISREG(status.st_mode), ErrorCode::kUnreadable, "'", file.string(), "' is not a regular file");
  const bool readable = ::access(file.c_str(), R_OK) == 0;  // before errno is looked at
  check(readable, ErrorCode::kUnreadable, "cannot read '", file.string(), "': ", std::strerror(errno));
#ifdef __APPLE__
  const timespec changed = status.st_mtimespec;
#else
  const timespec changed = status.st_mtim;
#endif
  return {std::filesystem::absolute(file).string(), status.st_size,
          static_cast<int64_t>(changed.tv_sec) * 1'000'000'000 + changed.tv_nsec, status.st_ino};
}

}  // namespace prismvid::pipeline

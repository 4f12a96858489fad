#include "server/uploads.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/sha256.h"

namespace prismvid::server {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestName = 150;  // with its id it fits every file system

/// As a file name: what would be a path or hidden is not.
std::string file_name(const std::string& name) {
  std::string safe;
  for (const char c : fs::path(name).filename().string())
    safe += static_cast<unsigned char>(c) < 32 || c == '/' || c == '\\' ? '_' : c;
  while (safe.starts_with('.')) safe.erase(0, 1);
  if (safe.size() > kLongestName) safe = safe.substr(safe.size() - kLongestName);
  return safe.empty() ? "video" : safe;
}

/// Appends to a file that it holds a lock on.
class FileSink : public BodySink {
 public:
  FileSink(const store::UploadRecord& upload, int64_t offset) : left_(upload.bytes - offset) {
    descriptor_ = ::open(upload.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    check(descriptor_ >= 0, ErrorCode::kUnavailable, "upload ", upload.id, " has lost its file");
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      ::close(descriptor_);
      throw HttpError(409, "upload_busy", "another request is writing this upload");
    }
    const int64_t next = ::lseek(descriptor_, 0, SEEK_END);
    if (next != offset) {
      ::close(descriptor_);
      throw HttpError(409, "wrong_offset", "the next byte is " + std::to_string(next) + ": send Upload-Offset: " + std::to_string(next),
                      {{"Upload-Offset", std::to_string(next)}});
    }
  }
  ~FileSink() override { ::close(descriptor_); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  void write(const char* bytes, size_t count) override {
    left_ -= static_cast<int64_t>(count);
    if (left_ < 0) throw HttpError(413, "too_large", "these are more bytes than the upload was said to have");
    while (count > 0) {
      const ssize_t written = ::write(descriptor_, bytes, count);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw HttpError(507, "storage_full", std::string("cannot store the upload: ") + std::strerror(errno));
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  }

 private:
  int descriptor_ = -1;
  int64_t left_;
};

}  // namespace

std::string random_hex() {
  uint8_t bytes[16];
  check(::getentropy(bytes, sizeof bytes) == 0, ErrorCode::kInternal, "the system gives no random numbers");
  return hex_digits(bytes);
}

Uploads::Uploads(ServicePool& stores, fs::path folder, int64_t most_bytes)
    : stores_(stores), folder_(std::move(folder)), most_bytes_(most_bytes) {
  std::error_code error;
  fs::create_directories(folder_, error);
  check(!error, ErrorCode::kUnavailable, "cannot make the folder '", folder_.string(), "' for uploads: ", error.message());
  fs::permissions(folder_, fs::perms::owner_all, error);
}

store::UploadRecord Uploads::begin(const std::string& owner, const std::string& name, int64_t bytes) {
  if (bytes > most_bytes_)
    throw HttpError(413, "too_large", "an upload may have " + std::to_string(most_bytes_) + " bytes at most");
  std::error_code error;
  const auto space = fs::space(folder_, error);
  if (!error && static_cast<uintmax_t>(bytes) > space.available)
    throw HttpError(507, "storage_full", "the disk has room for " + std::to_string(space.available) + " bytes only");
  store::UploadRecord upload;
  upload.id = "u_" + random_hex();
  upload.owner = owner;
  upload.name = file_name(name);
  upload.bytes = bytes;
  const fs::path place = folder_ / upload.id;
  fs::create_directory(place, error);
  upload.path = (place / upload.name).string();
  const int descriptor = ::open(upload.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  check(descriptor >= 0, ErrorCode::kUnavailable, "cannot store an upload: ", std::strerror(errno));
  ::close(descriptor);
  stores_.borrow()->add_upload(upload);
  return upload;
}

store::UploadRecord Uploads::find(const std::string& id) {
  const auto upload = stores_.borrow()->find_upload(id);
  if (!upload) throw HttpError(404, "not_found", "there is no upload '" + id + "'");
  return *upload;
}

int64_t Uploads::received(const store::UploadRecord& upload) const {
  std::error_code error;
  const auto size = fs::file_size(upload.path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

std::shared_ptr<BodySink> Uploads::write_at(const std::string& id, int64_t offset) {
  return std::make_shared<FileSink>(find(id), offset);
}

store::UploadRecord Uploads::finished(const std::string& id) {
  auto upload = find(id);
  const int64_t received = this->received(upload);
  if (received < upload.bytes)
    throw HttpError(409, "upload_incomplete", "upload " + id + " has " + std::to_string(received) + " of " +
                                                  std::to_string(upload.bytes) + " bytes: send the rest first");
  return upload;
}

void Uploads::mark_used(const std::string& id) { stores_.borrow()->mark_upload_used(id); }

void Uploads::remove(const std::string& id) {
  const auto upload = find(id);
  std::error_code error;
  fs::remove_all(folder_ / upload.id, error);
  stores_.borrow()->delete_upload(id);
}

void Uploads::remove_file(const fs::path& file) {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(file, error).parent_path();
  if (place.parent_path() != fs::weakly_canonical(folder_, error)) return;
  fs::remove_all(place, error);
  stores_.borrow()->delete_upload(place.filename().string());
}

void Uploads::remove_old(int64_t seconds) {
  for (const auto& upload : stores_.borrow()->old_uploads(seconds)) {
    std::error_code error;
    const auto touched = fs::last_write_time(upload.path, error);
    if (!error && fs::file_time_type::clock::now() - touched < std::chrono::seconds(seconds)) continue;
    fs::remove_all(folder_ / upload.id, error);
    stores_.borrow()->delete_upload(upload.id);
  }
}

}  // namespace prismvid::server

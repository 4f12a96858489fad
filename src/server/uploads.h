#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "server/http.h"
#include "server/pool.h"
#include "store/service_store.h"

namespace prismvid::server {

using ServicePool = Pool<store::ServiceStore>;

/// Files that clients send in pieces. What has come is the size of the file itself, so that an
/// upload goes on after a crash of either side. Thread-safe.
class Uploads {
 public:
  /// Makes `folder` when the first upload begins.
  Uploads(ServicePool& stores, std::filesystem::path folder, int64_t most_bytes);

  /// Throws HttpError 400, 413 (more than allowed) or 507 (more than the disk has).
  store::UploadRecord begin(const std::string& owner, const std::string& name, int64_t bytes);
  /// Throws HttpError 404.
  store::UploadRecord find(const std::string& id);
  int64_t received(const store::UploadRecord& upload) const;
  /// Takes the bytes behind `offset`. Throws HttpError 409 where another offset is next, or another
  /// request is writing.
  std::shared_ptr<BodySink> write_at(const std::string& id, int64_t offset);
  /// Throws HttpError 404, or 409 where bytes are missing.
  store::UploadRecord finished(const std::string& id);
  void mark_used(const std::string& id);
  void remove(const std::string& id);
  /// Deletes a video's file where it came by upload; others are not ours.
  void remove_file(const std::filesystem::path& file);
  /// Deletes what nobody made a job of.
  void remove_old(int64_t seconds);

  int64_t most_bytes() const { return most_bytes_; }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  ServicePool& stores_;
  std::filesystem::path folder_;
  int64_t most_bytes_;
};

/// 128 random bits as 32 hexadecimal digits.
std::string random_hex();

}  // namespace prismvid::server

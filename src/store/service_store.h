#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace prismvid::store {

/// Who may ask a service. The key itself is not kept, only its SHA-256: it is random and long, so
/// that nothing can be found by guessing.
struct ApiKeyRecord {
  std::string id;  // "k_1"
  std::string name;
  std::string scope;  // read, write, admin
  std::string created_at;
  std::string last_used_at;  // to the minute; empty: never
  std::string revoked_at;    // empty: in force
};

/// A file on its way in.
struct UploadRecord {
  std::string id;  // "u_..."
  std::string owner;
  std::string name;  // as the client calls it
  int64_t bytes = 0;
  std::string path;  // where the bytes go; its size is how much has come
  std::string created_at;
  bool used = false;  // a job was made of it
};

/// A job's end that is to be told to a URL.
struct WebhookRecord {
  int64_t id = 0;
  std::string job_id;
  std::string url;
  std::string secret;
  int attempts = 0;
};

/// What a service keeps beside results and jobs. Failures throw Error(kStore); one object serves
/// one thread at a time.
class ServiceStore {
 public:
  virtual ~ServiceStore() = default;

  // --- API keys
  virtual ApiKeyRecord add_key(const std::string& name, const std::string& scope,
                               const std::string& sha256) = 0;
  /// One in force.
  virtual std::optional<ApiKeyRecord> find_key(const std::string& sha256) = 0;
  virtual std::vector<ApiKeyRecord> keys() = 0;
  /// False where there is none, or it was revoked already.
  virtual bool revoke_key(const std::string& id) = 0;
  virtual void mark_key_used(const std::string& id) = 0;

  // --- uploads
  virtual void add_upload(const UploadRecord& upload) = 0;
  virtual std::optional<UploadRecord> find_upload(const std::string& id) = 0;
  virtual void mark_upload_used(const std::string& id) = 0;
  virtual void delete_upload(const std::string& id) = 0;
  /// Those not used and older than `seconds`.
  virtual std::vector<UploadRecord> old_uploads(int64_t seconds) = 0;

  // --- webhooks
  /// Takes one that is due for this caller alone, until it is settled or `retry_ms` have passed.
  virtual std::optional<WebhookRecord> take_webhook(int64_t retry_ms) = 0;
  /// `error` empty: it was told. Else it is due again after `retry_ms`, or never for a negative
  /// one.
  virtual void settle_webhook(int64_t id, const std::string& error, int64_t retry_ms) = 0;
};

}  // namespace prismvid::store

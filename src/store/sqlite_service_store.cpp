#include <chrono>

#include "core/error.h"
#include "store/service_store.h"
#include "store/sqlite_store_impl.h"

namespace prismvid::store {
namespace {

constexpr int kBusyTimeoutMs = 20'000;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr char kKeyColumns[] =
    "SELECT number, name, scope, created_at, last_used_at, revoked_at FROM api_keys ";

ApiKeyRecord read_key(const Statement& row) {
  return {prefixed("k", row.integer(0)), row.text(1), row.text(2), row.text(3), row.text(4),
          row.text(5)};
}

constexpr char kUploadColumns[] =
    "SELECT id, owner, name, bytes, path, created_at, used FROM uploads ";

UploadRecord read_upload(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2),        row.integer(3),
          row.text(4), row.text(5), row.integer(6) != 0};
}

class SqliteServiceStore final : public ServiceStore {
 public:
  explicit SqliteServiceStore(const std::filesystem::path& file) : database_(file, kBusyTimeoutMs) {
    database_.execute("PRAGMA foreign_keys = ON");
    database_.execute("PRAGMA secure_delete = ON");
  }

  ApiKeyRecord add_key(const std::string& name, const std::string& scope,
                       const std::string& sha256) override {
    Transaction transaction(database_, Transaction::Kind::kWrite);
    Statement(database_,
              std::string("INSERT INTO api_keys (name, hash, scope, created_at) VALUES (?, ?, ?, ") +
                  kNow + ")",
              name, sha256, scope)
        .run();
    ApiKeyRecord key;
    {
      Statement row(database_, std::string(kKeyColumns) + "WHERE hash = ?", sha256);
      row.step();
      key = read_key(row);
    }
    transaction.commit();
    return key;
  }

  std::optional<ApiKeyRecord> find_key(const std::string& sha256) override {
    Statement row(database_, std::string(kKeyColumns) + "WHERE hash = ? AND revoked_at = ''",
                  sha256);
    if (!row.step()) return std::nullopt;
    return read_key(row);
  }

  std::vector<ApiKeyRecord> keys() override {
    std::vector<ApiKeyRecord> all;
    Statement rows(database_, std::string(kKeyColumns) + "ORDER BY number");
    while (rows.step()) all.push_back(read_key(rows));
    return all;
  }

  bool revoke_key(const std::string& id) override {
    Statement(database_,
              std::string("UPDATE api_keys SET revoked_at = ") + kNow +
                  " WHERE number = ? AND revoked_at = ''",
              numbered("k", id).value_or(0))
        .run();
    return database_.changes() == 1;
  }

  void mark_key_used(const std::string& id) override {
    Statement(database_,
              "UPDATE api_keys SET last_used_at = strftime('%Y-%m-%dT%H:%M:00Z', 'now') "
              "WHERE number = ?",
              numbered("k", id).value_or(0))
        .run();
  }

  void add_upload(const UploadRecord& upload) override {
    Statement(database_,
              std::string("INSERT INTO uploads (id, owner, name, bytes, path, created_at, "
                          "touched_at_ms) VALUES (?, ?, ?, ?, ?, ") +
                  kNow + ", ?)",
              upload.id, upload.owner, upload.name, upload.bytes, upload.path, now_ms())
        .run();
  }

  std::optional<UploadRecord> find_upload(const std::string& id) override {
    Statement row(database_, std::string(kUploadColumns) + "WHERE id = ?", id);
    if (!row.step()) return std::nullopt;
    return read_upload(row);
  }

  void mark_upload_used(const std::string& id) override {
    Statement(database_, "UPDATE uploads SET used = 1 WHERE id = ?", id).run();
  }

  void delete_upload(const std::string& id) override {
    Statement(database_, "DELETE FROM uploads WHERE id = ?", id).run();
  }

  std::vector<UploadRecord> old_uploads(int64_t seconds) override {
    std::vector<UploadRecord> old;
    Statement rows(database_, std::string(kUploadColumns) + "WHERE used = 0 AND touched_at_ms < ?",
                   now_ms() - seconds * 1000);
    while (rows.step()) old.push_back(read_upload(rows));
    return old;
  }

  std::optional<WebhookRecord> take_webhook(int64_t retry_ms) override {
    if (!next_webhook()) return std::nullopt;
    Transaction transaction(database_, Transaction::Kind::kWrite);
    auto webhook = next_webhook();
    if (!webhook) return std::nullopt;
    Statement(database_,
              "UPDATE webhooks SET attempts = attempts + 1, next_at_ms = ? WHERE id = ?",
              now_ms() + retry_ms, webhook->id)
        .run();
    transaction.commit();
    ++webhook->attempts;
    return webhook;
  }

  void settle_webhook(int64_t id, const std::string& error, int64_t retry_ms) override {
    const char* state = error.empty() ? "told" : retry_ms < 0 ? "given_up" : "due";
    // Who needs no telling any more needs no secret either.
    Statement(database_,
              "UPDATE webhooks SET state = ?1, last_error = ?2, next_at_ms = ?3, "
              "secret = CASE ?1 WHEN 'due' THEN secret ELSE '' END WHERE id = ?4",
              state, error, now_ms() + retry_ms, id)
        .run();
  }

 private:
  std::optional<WebhookRecord> next_webhook() {
    Statement row(database_,
                  "SELECT id, job, url, secret, attempts FROM webhooks "
                  "WHERE state = 'due' AND next_at_ms <= ? ORDER BY next_at_ms LIMIT 1",
                  now_ms());
    if (!row.step()) return std::nullopt;
    return WebhookRecord{row.integer(0), prefixed("j", row.integer(1)), row.text(2), row.text(3),
                         static_cast<int>(row.integer(4))};
  }

  Database database_;
};

}  // namespace

std::unique_ptr<ServiceStore> open_sqlite_service_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteServiceStore>(file);
}

}  // namespace prismvid::store

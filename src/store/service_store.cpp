#include "store/service_store.h"
#include "core/error.h"
#include "store/sql_store.h"

namespace prismvid::store {
namespace {

constexpr char kKeyColumns[] =
    "SELECT number, name, scope, created_at, last_used_at, revoked_at FROM api_keys ";

ApiKeyRecord read_key(const Statement& row) {
  return {prefixed("k", row.integer(0)),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5)};
}

constexpr char kUploadColumns[] =
    "SELECT id, owner, name, bytes, path, created_at, used FROM uploads ";

UploadRecord read_upload(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2),        row.integer(3),
          row.text(4), row.text(5), row.integer(6) != 0};
}

class SqlServiceStore final : public ServiceStore {
 public:
  explicit SqlServiceStore(std::unique_ptr<Database> database)
      : owned_(std::move(database)), database_(*owned_) {}

  ApiKeyRecord add_key(const std::string& name, const std::string& scope,
                       const std::string& sha256) override {
    Transaction transaction(database_, TransactionKind::kWrite);
    Statement(database_,
              "INSERT INTO api_keys (name, hash, scope, created_at) VALUES (?, ?, ?, time_text(0))",
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
              "UPDATE api_keys SET revoked_at = time_text(0) WHERE number = ? AND revoked_at = ''",
              numbered("k", id).value_or(0))
        .run();
    return database_.changes() == 1;
  }

  void mark_key_used(const std::string& id) override {
    Statement(database_,
              "UPDATE api_keys SET last_used_at = substr(time_text(0), 1, 17) || '00Z' "
              "WHERE number = ?",
              numbered("k", id).value_or(0))
        .run();
  }

  void add_upload(const UploadRecord& upload) override {
    Statement(database_,
              "INSERT INTO uploads (id, owner, name, bytes, path, created_at, touched_at_ms) "
              "VALUES (?, ?, ?, ?, ?, time_text(0), now_ms())",
              upload.id, upload.owner, upload.name, upload.bytes, upload.path)
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
    Statement rows(database_,
                   std::string(kUploadColumns) + "WHERE used = 0 AND touched_at_ms < now_ms() - ?",
                   seconds * 1000);
    while (rows.step()) old.push_back(read_upload(rows));
    return old;
  }

  std::optional<WebhookRecord> take_webhook(int64_t retry_ms) override {
    if (!next_webhook("")) return std::nullopt;
    Transaction transaction(database_, TransactionKind::kWrite);
    auto webhook = next_webhook(skip_locked(database_));
    if (!webhook) return std::nullopt;
    Statement(database_,
              "UPDATE webhooks SET attempts = attempts + 1, next_at_ms = now_ms() + ? WHERE id = ?",
              retry_ms, webhook->id)
        .run();
    transaction.commit();
    ++webhook->attempts;
    return webhook;
  }

  void settle_webhook(int64_t id, const std::string& error, int64_t retry_ms) override {
    const char* state = error.empty() ? "told" : retry_ms < 0 ? "given_up" : "due";
    // Who needs no telling any more needs no secret either.
    Statement(database_,
              "UPDATE webhooks SET state = ?1, last_error = ?2, next_at_ms = now_ms() + ?3, "
              "secret = CASE ?1 WHEN 'due' THEN secret ELSE '' END WHERE id = ?4",
              state, error, retry_ms, id)
        .run();
  }

 private:
  std::optional<WebhookRecord> next_webhook(const char* suffix) {
    Statement row(database_, std::string("SELECT id, job, url, secret, attempts FROM webhooks "
                                         "WHERE state = 'due' AND next_at_ms <= now_ms() "
                                         "ORDER BY next_at_ms LIMIT 1") +
                                 suffix);
    if (!row.step()) return std::nullopt;
    return WebhookRecord{row.integer(0), prefixed("j", row.integer(1)), row.text(2), row.text(3),
                         static_cast<int>(row.integer(4))};
  }

  std::unique_ptr<Database> owned_;
  Database& database_;
};

}  // namespace

std::unique_ptr<ServiceStore> make_service_store(std::unique_ptr<Database> database) {
  return std::make_unique<SqlServiceStore>(std::move(database));
}

}  // namespace prismvid::store

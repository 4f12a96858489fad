#include "store/open_store.h"

#include <system_error>

#include "core/error.h"
#include "store/migrations.h"
#include "store/sql_store.h"

namespace prismvid::store {

namespace {

constexpr int kBusyTimeoutMs = 20'000;

std::filesystem::path with_folder(const std::filesystem::path& file) {
  std::error_code error;
  check(!std::filesystem::is_directory(file, error), ErrorCode::kStore, "'", file.string(),
        "' is a folder; --db wants a file");
  const auto folder = file.parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, error)) {
    std::filesystem::create_directories(folder, error);
    check(!error, ErrorCode::kStore, "cannot make the folder '", folder.string(),
          "' for the database: ", error.message());
  }
  return file;
}

std::unique_ptr<Database> open_library_file(const std::filesystem::path& file,
                                            const StoreOptions& options) {
  auto database = std::make_unique<SqliteDatabase>(with_folder(file), options.busy_timeout_ms);
  // Only a file without tables takes this; it lets deletions give space back to the disk.
  database->execute("PRAGMA auto_vacuum = INCREMENTAL");
  const bool fresh = database->integer("PRAGMA user_version") == 0;
  if (fresh) migrate(*database);
  database->execute("PRAGMA journal_mode = WAL");
  database->execute("PRAGMA synchronous = NORMAL");
  database->execute("PRAGMA foreign_keys = ON");
  database->execute("PRAGMA secure_delete = ON");
  if (options.max_bytes > 0) {
    const int64_t pages = options.max_bytes / database->integer("PRAGMA page_size");
    database->execute("PRAGMA max_page_count = " + std::to_string(pages));
  }
  if (!fresh) migrate(*database);
  return database;
}

std::unique_ptr<Database> connect(const Address& address,
                                  std::initializer_list<const char*> pragmas) {
  if (address.is_postgres())
    return std::make_unique<PostgresDatabase>(address.text(), kBusyTimeoutMs);
  auto database = std::make_unique<SqliteDatabase>(address.file(), kBusyTimeoutMs);
  for (const char* pragma : pragmas) database->execute(std::string("PRAGMA ") + pragma);
  return database;
}

}  // namespace

std::unique_ptr<Store> open_store(const Address& address, const StoreOptions& options) {
  if (!address.is_postgres())
    return std::make_unique<SqlStore>(open_library_file(address.file(), options));
  auto database = std::make_unique<PostgresDatabase>(address.text(), options.busy_timeout_ms);
  migrate(*database);
  return std::make_unique<SqlStore>(std::move(database));
}

std::unique_ptr<JobStore> open_job_store(const Address& address) {
  // What was accepted must also outlive a power cut.
  return make_job_store(connect(address, {"synchronous = FULL", "foreign_keys = ON"}));
}

std::unique_ptr<ServiceStore> open_service_store(const Address& address) {
  return make_service_store(connect(address, {"foreign_keys = ON", "secure_delete = ON"}));
}

std::unique_ptr<LibraryView> open_library_view(const Address& address) {
  return make_library_view(connect(address, {"query_only = ON"}));
}

}  // namespace prismvid::store

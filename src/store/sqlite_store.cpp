#include "store/sqlite_store.h"

#include <charconv>
#include <cstdlib>
#include <system_error>

#include "core/error.h"
#include "store/migrations.h"
#include "store/sqlite_store_impl.h"

namespace prismvid::store {

namespace {

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

}  // namespace

SqliteStore::SqliteStore(const std::filesystem::path& file, const SqliteOptions& options)
    : database_(with_folder(file), options.busy_timeout_ms) {
  // Only a file without tables takes this; it lets deletions give space back to the disk.
  database_.execute("PRAGMA auto_vacuum = INCREMENTAL");
  const bool fresh = database_.integer("PRAGMA user_version") == 0;
  if (fresh) migrate(database_);
  database_.execute("PRAGMA journal_mode = WAL");
  database_.execute("PRAGMA synchronous = NORMAL");
  database_.execute("PRAGMA foreign_keys = ON");
  database_.execute("PRAGMA secure_delete = ON");
  if (options.max_bytes > 0) {
    const int64_t pages = options.max_bytes / database_.integer("PRAGMA page_size");
    database_.execute("PRAGMA max_page_count = " + std::to_string(pages));
  }
  if (!fresh) migrate(database_);
}

bool SqliteStore::wipe() {
  database_.execute("PRAGMA incremental_vacuum");
  return database_.integer("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
}

std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                         const SqliteOptions& options) {
  return std::make_unique<SqliteStore>(file, options);
}

std::filesystem::path default_store_path() {
  const char* home = std::getenv("HOME");
  const std::filesystem::path base = home && *home ? home : ".";
#ifdef __APPLE__
  return base / "Library/Application Support/PrismVid/prismvid.db";
#else
  const char* data = std::getenv("XDG_DATA_HOME");
  // The specification says to ignore relative paths.
  const bool given = data && *data == '/';
  return (given ? std::filesystem::path(data) : base / ".local/share") / "prismvid/prismvid.db";
#endif
}

std::string prefixed(const char* prefix, int64_t number) {
  return std::string(prefix) + "_" + std::to_string(number);
}

std::optional<int64_t> numbered(const char* prefix, const std::string& id) {
  const std::string start = std::string(prefix) + "_";
  if (!id.starts_with(start)) return std::nullopt;
  int64_t number = 0;
  const char* end = id.data() + id.size();
  const auto result = std::from_chars(id.data() + start.size(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number < 1) return std::nullopt;
  return number;
}

}  // namespace prismvid::store

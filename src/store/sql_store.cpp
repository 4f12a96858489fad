#include "store/sql_store.h"

#include <charconv>
#include <system_error>

namespace prismvid::store {

SqlStore::SqlStore(std::unique_ptr<Database> database)
    : owned_(std::move(database)), database_(*owned_) {}

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

const char* skip_locked(const Database& database) {
  return database.dialect() == Dialect::kPostgres ? " FOR UPDATE SKIP LOCKED" : "";
}

}  // namespace prismvid::store

#pragma once

#include <span>

#include "store/postgres_database.h"
#include "store/sqlite_database.h"

namespace prismvid::store {

/// "PrVd": marks a file as PrismVid's.
inline constexpr int64_t kApplicationId = 0x50725664;

/// Tables and indexes in the words of SQLite, whose types are put into PostgreSQL's, and what only
/// one of the two has.
struct Migration {
  const char* tables;
  const char* sqlite;
  const char* postgres;
};

/// Step N takes a database from version N to N + 1. Never edited once released, only added to
/// (schema.cpp).
std::span<const Migration> migrations();

/// Brings the database up to `target` (default: the newest), all missing steps in one transaction.
/// Throws Error(kStore) when the file is another program's or of a newer PrismVid.
void migrate(SqliteDatabase& database, int64_t target = -1);
/// In the schema `prismvid` of the database.
void migrate(PostgresDatabase& database);

}  // namespace prismvid::store

#pragma once

#include <span>

#include "store/sqlite_database.h"

namespace prismvid::store {

/// "PrVd": marks a file as PrismVid's.
inline constexpr int64_t kApplicationId = 0x50725664;

/// Step N takes a database from version N to N + 1. Never edited once released, only added to.
std::span<const char* const> migrations();

/// Brings the database up to `target` (default: the newest), all missing steps in one transaction.
/// Throws Error(kStore) when the file is another program's or of a newer PrismVid.
void migrate(Database& database, int64_t target = -1);

}  // namespace prismvid::store

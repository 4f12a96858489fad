#pragma once

#include <filesystem>
#include <memory>

#include "store/store.h"

namespace prismvid::store {

struct SqliteOptions {
  int busy_timeout_ms = 10'000;  // how long to wait for another process that writes
  int64_t max_bytes = 0;         // refuse to grow beyond; 0: no limit
};

/// Opens or makes the database, with its folder. Throws Error(kStore) when it is damaged, not
/// PrismVid's, made by a newer PrismVid, locked for too long, or its folder cannot be written.
std::unique_ptr<Store> open_sqlite_store(const std::filesystem::path& file,
                                         const SqliteOptions& options = {});

/// $XDG_DATA_HOME/prismvid/prismvid.db (default ~/.local/share); on macOS ~/Library/Application
/// Support/PrismVid.
std::filesystem::path default_store_path();

}  // namespace prismvid::store

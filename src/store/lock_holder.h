#pragma once

#include <filesystem>
#include <string>

namespace prismvid::store {

/// Who holds locks on the database or its companion files: "prismvid (process 1234)", or "" where
/// the system does not tell. Opens none of the files: closing one would drop this process's own
/// locks.
std::string lock_holder(const std::filesystem::path& database);

}  // namespace prismvid::store

#pragma once

#include <filesystem>
#include <string>

namespace prismvid::deep {

/// Tells one checkpoint from another without reading gigabytes: SHA-256 over names and sizes of its
/// files, all of the small ones and samples spread over the large ones.
std::string model_fingerprint(const std::filesystem::path& folder);

/// Where a checkpoint is with sizes and times of its files: while that stays so does the
/// fingerprint, and no file is read for it.
std::string model_stamp(const std::filesystem::path& folder);

}  // namespace prismvid::deep

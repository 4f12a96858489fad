#pragma once

#include <filesystem>
#include <string>

namespace prismvid::deep {

/// Tells one checkpoint from another without reading gigabytes: SHA-256 over names and sizes of its
/// files, all of the small ones and samples spread over the large ones.
std::string model_fingerprint(const std::filesystem::path& folder);

}  // namespace prismvid::deep

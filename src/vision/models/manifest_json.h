#pragma once

#include <nlohmann/json.hpp>

#include "vision/models/manifest.h"

namespace prismvid::vision {

enum class Checksums { kRequired, kOptional };

/// parse_manifest for a parsed object; the catalogue's entries may lack checksums.
ModelManifest parse_manifest_object(const nlohmann::json& root, const std::filesystem::path& folder,
                                    Checksums checksums);

/// Parses JSON that may come from anywhere: nullptr-like (discarded) when it is no JSON or nested
/// too deep.
nlohmann::json parse_untrusted_json(const std::string& text);

/// Whole file as text, at most `most` bytes; throws Error(kModel).
std::string read_small_file(const std::filesystem::path& file, size_t most);

bool is_sha256(const std::string& text);

}  // namespace prismvid::vision

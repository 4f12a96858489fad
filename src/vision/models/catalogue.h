#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vision/models/manifest.h"

namespace prismvid::vision {

/// Well-known upstream models that `prismvid models install ID` can fetch: manifests whose files
/// have an address. A file without a checksum is unverified: nobody we could ask states it.
const std::vector<ModelManifest>& model_catalogue();

std::optional<ModelManifest> find_in_catalogue(const std::string& id);

}  // namespace prismvid::vision

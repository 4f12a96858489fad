#pragma once

#include <filesystem>
#include <string>

#include "vision/models/manifest.h"

namespace prismvid::vision {

/// Says what is wrong with a model's files, empty when every checksum is right. With `remember`,
/// files that have not changed since they were last found right (size, times and identity, kept in
/// .verified.json beside them) are not read again: a file that was changed always has a newer
/// change time.
std::string wrong_file(const ModelManifest& manifest, bool remember);

}  // namespace prismvid::vision

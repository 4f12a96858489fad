#pragma once

#include <filesystem>

#include "store/store.h"

namespace prismvid::pipeline {

/// What tells whether a file changed without reading it. Throws Error(kNotFound, or kUnreadable for anything but a
/// regular file or one that may not be read).
store::FileIdentity identify_file(const std::filesystem::path& file);

}  // namespace prismvid::pipeline

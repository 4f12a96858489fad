#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "deep/clip.h"

// A clip in a file: the very pixels that the model was shown, as they are in memory.
namespace prismvid::deep {

/// About how large the file will be; also what the clip takes in memory.
uint64_t bytes_of(const Clip& clip);

/// `name` says what it is; it need not be that of the file. Throws Error(kUnreadable).
void write_clip(const std::filesystem::path& file, const std::string& name, const Clip& clip);

/// nullptr where the file is gone, damaged, or not the clip of that name.
std::shared_ptr<const Clip> read_clip(const std::filesystem::path& file, const std::string& name);

}  // namespace prismvid::deep

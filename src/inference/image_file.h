#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "core/image.h"

namespace prismvid::inference {

/// A JPEG or PNG file as RGB, upright by its EXIF orientation; transparency is dropped. Throws
/// Error: kNotFound, kUnreadable, kInvalidArgument for another format, a damaged picture or more
/// than 64 million pixels.
Image read_image(const std::filesystem::path& path);

/// The same from bytes; `name` stands in messages.
Image decode_image(std::span<const uint8_t> bytes, const std::string& name);

/// EXIF orientation of a JPEG, 1 (upright) to 8; 1 where none is told.
int jpeg_orientation(std::span<const uint8_t> bytes);

/// The picture turned and mirrored so that orientation `value` becomes upright.
Image upright(const Image& image, int value);

}  // namespace prismvid::inference

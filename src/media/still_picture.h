#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/image.h"

namespace prismvid::media {

constexpr int64_t kLargestPicture = 64'000'000;  // pixels

/// A JPEG, PNG, WebP, GIF (its first frame), BMP, TIFF or AVIF picture as RGB, upright by its EXIF
/// orientation; transparency is dropped. JPEG by libjpeg-turbo (as Pillow, bit for bit), inks and
/// all other formats by FFmpeg. `name` stands in messages. Throws Error(kInvalidArgument) for other
/// formats, damage, and more than kLargestPicture pixels, which is told before memory is taken.
Image decode_picture(std::span<const uint8_t> bytes, const std::string& name);

/// The same of a file. Throws Error(kNotFound, kUnreadable) too.
Image read_picture(const std::filesystem::path& path);

}  // namespace prismvid::media

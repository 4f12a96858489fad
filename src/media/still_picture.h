#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "core/image.h"

namespace prismvid::media {

/// A JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF picture as RGB, upright by its EXIF orientation
/// or its own turns; of an animation the first frame; transparency is dropped. JPEG by libjpeg-turbo
/// and WebP by libwebp (as Pillow, bit for bit), HEIC and AVIF by libheif, the others by FFmpeg.
/// `name` stands in messages. Throws Error(kInvalidArgument) for other formats, damage, and more
/// than kLargestPicture pixels, which is told before memory is taken.
Image decode_picture(std::span<const uint8_t> bytes, const std::string& name);

/// The same of a file. Throws Error(kNotFound), and Error(kUnreadable) for what decode_picture() refuses.
Image read_picture(const std::filesystem::path& path);

}  // namespace prismvid::media

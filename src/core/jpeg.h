#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/image.h"

namespace prismvid {

/// Encodes an RGB or luma picture, by libjpeg-turbo. Throws Error(kInternal) for an empty or too large one.
std::vector<uint8_t> encode_jpeg(ImageView image, int quality = 85);

/// Decodes to RGB; throws Error(kInvalidArgument) on bytes that are not a JPEG or exceed 64 million pixels.
Image decode_jpeg(std::span<const uint8_t> bytes);

}  // namespace prismvid

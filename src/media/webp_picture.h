#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/image.h"

namespace prismvid::media {

/// A WebP picture by libwebp, as Pillow reads it: of an animation the first frame on its canvas,
/// without its transparency. Throws Error(kInvalidArgument) with `name` for what cannot be decoded.
Image decode_webp(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace prismvid::media

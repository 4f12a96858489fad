#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/image.h"

namespace prismvid::media {

/// The primary picture of a HEIC or AVIF file by libheif: turned, mirrored, cropped and joined from
/// tiles as the file says, without its transparency. Throws Error(kInvalidArgument) with `name` for
/// what cannot be decoded.
Image decode_heif(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace prismvid::media

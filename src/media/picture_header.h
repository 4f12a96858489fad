#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/geometry.h"

namespace prismvid::media {

enum class PictureFormat { kJpeg, kPng, kGif, kBmp, kTiff, kWebp, kHeif };

const char* to_string(PictureFormat format);

/// What the first bytes of a picture say before anything is decoded.
struct PictureHeader {
  PictureFormat format = PictureFormat::kJpeg;
  Size size;            // as stored
  int orientation = 1;  // of EXIF, 1 (upright) to 8; libheif turns HEIF pictures itself
  int components = 3;   // of a JPEG: 4 are inks
};

/// nullopt for bytes of no known format, or whose size cannot be found. Never reads outside of
/// `bytes`, whatever they say. Sizes follow JPEG (ITU-T T.81), PNG, GIF89a, BMP, TIFF 6, WebP's
/// container and ISO/IEC 23008-12's ispe box.
std::optional<PictureHeader> read_picture_header(std::span<const uint8_t> bytes);

constexpr int64_t kLargestPicture = 64'000'000;  // pixels

/// Throws Error(kInvalidArgument) with `name` for more than kLargestPicture pixels: before memory
/// is taken.
void check_picture_size(Size size, const std::string& name);

}  // namespace prismvid::media

#pragma once

#include "core/image.h"

namespace prismvid::qwen3_vl {

/// Bicubic with antialiasing (a = -0.5), equal bit for bit to Pillow's Image.resize(size, BICUBIC)
/// of 8-bit pictures: first all rows, then all columns, each rounded to 8 bits.
Image resize_bicubic(ImageView image, Size size);

}  // namespace prismvid::qwen3_vl

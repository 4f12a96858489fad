#pragma once

#include "core/image.h"

namespace prismvid::vision {

/// Part of the 8x8 blocks that differ between two luma pictures of one size by more than noise; 1
/// where sizes differ.
float changed_part(ImageView a, ImageView b);

}  // namespace prismvid::vision

#pragma once

#include "core/image.h"

namespace prismvid::vision {

/// Part of the 8x8 blocks that differ between two luma pictures of one size by more than noise; 1
/// where sizes differ.
float changed_part(ImageView a, ImageView b);

/// Whether strong edges stand still from `earlier` to `now` that `known` has not, in a patch as large
/// as a few letters. Luma pictures; true where sizes differ.
bool has_new_strokes(ImageView known, ImageView earlier, ImageView now);

}  // namespace prismvid::vision

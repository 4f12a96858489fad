#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/geometry.h"
#include "core/image.h"

namespace prismvid::vision {

/// Tells from the luma alone whether a text may have come since text was last looked for. A texture that was taken for
/// one is not taken for one again in its shot. Not thread-safe.
class StrokeWatch {
 public:
  /// Whether strong edges stand still from `earlier` to `now` that `known`, the picture last looked at, has neither in
  /// their place nor near it, in a patch as large as a few letters. True where sizes differ.
  bool sees_new_strokes(ImageView known, ImageView earlier, ImageView now);

  /// Text was looked for because of that, and new text stands in `texts` only, in pixels of the luma picture.
  void learn(std::span<const Box> texts);

  /// Another shot begins.
  void forget() { textures_.clear(); }

 private:
  struct Place {
    int column;
    int row;
  };
  int left_of(Place patch) const;
  int top_of(Place patch) const;
  void find_patches(ImageView known, ImageView earlier, ImageView now);
  void mark_texture(Place patch);

  Size size_;  // of the luma pictures
  int columns_ = 0, rows_ = 0;
  std::vector<Place> seen_;        // patches with new strokes, until the look that they called for is over
  std::vector<uint8_t> textures_;  // by patch: 1 where there is no text; empty until there is one
};

}  // namespace prismvid::vision

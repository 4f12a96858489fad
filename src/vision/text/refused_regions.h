#pragma once

#include <cstdint>
#include <vector>

#include "core/geometry.h"
#include "vision/sample.h"

namespace prismvid::vision {

/// Large regions, as faces and textures, that were taken for text and could not be read: for some seconds they are not read
/// again unless their strokes grow stronger, as those of a title that fades in. Smaller regions may hold another text at any
/// time and are not kept. Coordinates are pixels of the luma frames. Not thread-safe.
class RefusedRegions {
 public:
  void add(const LumaFrame& luma, const Box& box);
  /// Whether the box is a refused region that still looks like one.
  bool has(const LumaFrame& luma, const Box& box) const;
  /// Another shot begins.
  void forget() { regions_.clear(); }

 private:
  struct Region {
    Box box;
    double energy;  // of its strokes
    int64_t pts_us;
  };
  std::vector<Region> regions_;
};

}  // namespace prismvid::vision

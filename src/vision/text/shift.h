#pragma once

namespace prismvid::vision {

/// Pixels that something has moved by.
struct Shift {
  int x = 0;
  int y = 0;
};

}  // namespace prismvid::vision

#pragma once

#include <cstdint>
#include <vector>

#include "core/geometry.h"
#include "core/image.h"
#include "vision/text/shift.h"

namespace prismvid::vision {

/// How much of a text is in a frame: 1 where it stands as in the template, 0 where it is not,
/// between the two while it fades. `weakest` is the same for the character's width of the line that
/// fits worst; `likeness` is the cosine between the two, which fading leaves as it is.
struct Presence {
  float whole = 0;
  float weakest = 0;
  float likeness = 0;
};

/// The strokes of a text in one frame's luma: its strong gradients. Comparing gradients on strokes
/// only keeps what moves behind the text out of the comparison.
class RegionTemplate {
 public:
  RegionTemplate() = default;
  /// `box` in pixels of `luma`; clipped to it.
  RegionTemplate(ImageView luma, const Box& box);

  /// Projection of the frame's gradients on the template's, with the text moved by (dx, dy) pixels.
  Presence presence(ImageView luma, int dx = 0, int dy = 0) const;

  /// The shift at which most of the text shows, of those that differ from `around` by at most `reach`.
  Shift best_shift(ImageView luma, Shift around, Shift reach) const;

  /// Leaves out the strokes that another frame does not show in the same place: they are of what moves behind the text.
  void keep_standing(ImageView luma);

  /// Sum of squared gradients: grows with contrast. 0 where the region holds no strokes.
  double energy() const { return energy_; }
  const Box& box() const { return box_; }

  /// Whether a frame shows `second` rather than `first`: only where the two differ counts, so that
  /// lines which differ by one character are told apart.
  static bool shows_second(ImageView luma, const RegionTemplate& first,
                           const RegionTemplate& second);

 private:
  struct Gradient {
    int x = 0;
    int y = 0;
  };
  Gradient gradient_at(int x, int y) const;
  size_t part_of(int x, int y) const;
  void sum_energy();
  float weakest_window(const std::vector<double>& projection) const;

  Box box_;
  int left_ = 0, top_ = 0, width_ = 0, height_ = 0;
  // Of every pixel of the region, row by row: its luma gradient, and -1 where it is a stroke, else 0.
  std::vector<int16_t> gradient_x_, gradient_y_, stroke_;
  std::vector<double> part_energy_;
  double energy_ = 0;
};

}  // namespace prismvid::vision

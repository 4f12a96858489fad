#pragma once

#include <array>

namespace prismvid::vision {

/// What tells a dissolve from motion, each about 0..1.
struct DissolveFeatures {
  static constexpr int kCount = 14;
  float contrast = 0;         // distance of the window's ends less that of the frames around it
  float ends = 0;             // structure_distance of the frames before and after
  float ends_colour = 0;      // their colour_distance, times 4
  float explained = 0;        // of the pictures inside, as mixtures of the ends
  float ramp_error = 0;       // of the share of the second picture, times 4
  float local_misfit = 0;     // of each picture to the line between its neighbours, / (1 + itself)
  float wide_misfit = 0;      // the same over the whole window
  float inside_step = 0;      // structure_distance over a few frames inside
  float before_step = 0;      // and before
  float after_step = 0;       // and after
  float gradient_dip = 0;     // least contrast inside relative to the ends'
  float middle_to_begin = 0;  // structure_distance of the middle frame to each end
  float middle_to_end = 0;
  float length = 0;  // frames / 50

  std::array<float, kCount> values() const {
    return {contrast,      ends,        ends_colour, explained,  ramp_error,   local_misfit,
            wide_misfit,   inside_step, before_step, after_step, gradient_dip, middle_to_begin,
            middle_to_end, length};
  }
};

/// Probability of a dissolve, 0..1.
float rate_dissolve(const DissolveFeatures& features);

}  // namespace prismvid::vision

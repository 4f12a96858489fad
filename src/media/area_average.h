#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/image.h"

namespace prismvid::media {

/// Borrowed plane of 8- or 16-bit samples: rows of `channels` interleaved values.
template <typename Sample>
struct PlaneView {
  const Sample* data = nullptr;
  int width = 0;
  int height = 0;
  int channels = 1;
  std::ptrdiff_t stride = 0;  // samples from one row to the next

  const Sample* row(int y) const { return data + y * stride; }
};

/// The definition: an output pixel is the mean of its footprint on the source, each source pixel
/// counted by the area it shares with the footprint. Enlarging works too and repeats pixels.
/// Returns rows of size.width * channels values.
template <typename Sample>
std::vector<float> area_average_plain(const PlaneView<Sample>& source, Size size);

/// Takes one finished output row: `size.width * channels` means.
using RowSink = std::function<void(int y, const float* row)>;

/// Same result within float rounding, fast: rows are summed in integers first, columns of the sums
/// afterwards.
template <typename Sample>
void area_average(const PlaneView<Sample>& source, Size size, const RowSink& sink);

/// Area average of an 8-bit picture, rounded.
Image area_average(ImageView image, Size size);

}  // namespace prismvid::media

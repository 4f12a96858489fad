#include "vision/faces/tiled_pyramid.h"

#include <dlib/image_transforms/image_pyramid.h>

#include <algorithm>
#include <cmath>

namespace prismvid::vision {
namespace {

using Pyramid = dlib::pyramid_down<6>;
constexpr int kChannels = 3;

/// Where one axis of a smaller level reads the larger one: its first and last samples fall
/// together.
struct Tap {
  int first;
  int second;
  float fraction;  // weight of the second
};

Tap tap(int index, int from, int to) {
  const float position = static_cast<float>(index) *
                         (static_cast<float>(from - 1) / static_cast<float>(std::max(to - 1, 1)));
  const int first = static_cast<int>(position);
  return {first, std::min(first + 1, from - 1), position - static_cast<float>(first)};
}

std::vector<Tap> taps(int from, int to) {
  std::vector<Tap> result(static_cast<size_t>(to));
  for (int i = 0; i < to; ++i) result[static_cast<size_t>(i)] = tap(i, from, to);
  return result;
}

class TiledFloats {
 public:
  TiledFloats(const TiledPyramid& pyramid, float* data) : columns_(pyramid.columns), data_(data) {}
  float* at(const dlib::rectangle& tile, int y) const {
    return data_ + ((tile.top() + y) * columns_ + tile.left()) * kChannels;
  }

 private:
  std::ptrdiff_t columns_;
  float* data_;
};

void copy_picture(ImageView picture, const std::array<float, 3>& mean, const dlib::rectangle& tile,
                  TiledFloats out) {
  std::array<std::array<float, 256>, kChannels> table;
  for (int channel = 0; channel < kChannels; ++channel)
    for (int value = 0; value < 256; ++value)
      table[channel][value] =
          static_cast<float>((static_cast<float>(value) - mean[channel]) / 256.0);
  for (int y = 0; y < picture.height; ++y) {
    const uint8_t* from = picture.row(y);
    float* to = out.at(tile, y);
    for (int i = 0; i < picture.width * kChannels; i += kChannels)
      for (int channel = 0; channel < kChannels; ++channel)
        to[i + channel] = table[channel][from[i + channel]];
  }
}

void blend(const float* a, const float* b, float fraction, int count, float* out) {
  for (int i = 0; i < count; ++i) out[i] = (1 - fraction) * a[i] + fraction * b[i];
}

void shrink(const dlib::rectangle& from, const dlib::rectangle& to, TiledFloats tiles,
            std::vector<float>& row) {
  const int from_width = static_cast<int>(from.width());
  const std::vector<Tap> columns = taps(from_width, static_cast<int>(to.width()));
  const std::vector<Tap> rows =
      taps(static_cast<int>(from.height()), static_cast<int>(to.height()));
  row.resize(static_cast<size_t>(from_width) * kChannels);
  for (size_t y = 0; y < rows.size(); ++y) {
    blend(tiles.at(from, rows[y].first), tiles.at(from, rows[y].second), rows[y].fraction,
          from_width * kChannels, row.data());
    float* out = tiles.at(to, static_cast<int>(y));
    for (size_t x = 0; x < columns.size(); ++x)
      blend(&row[columns[x].first * kChannels], &row[columns[x].second * kChannels],
            columns[x].fraction, kChannels, out + x * kChannels);
  }
}

}  // namespace

TiledPyramid TiledPyramid::layout(Size size, int tile_padding, int outer_padding) {
  TiledPyramid result;
  long rows = 0, columns = 0;
  dlib::impl::compute_tiled_image_pyramid_details(Pyramid(), size.height, size.width, tile_padding,
                                                  outer_padding, result.tiles, rows, columns);
  result.rows = static_cast<int>(rows);
  result.columns = static_cast<int>(columns);
  return result;
}

TiledPyramid TiledPyramid::first_levels(size_t count, int outer_padding) const {
  TiledPyramid result;
  result.tiles.assign(tiles.begin(), tiles.begin() + static_cast<std::ptrdiff_t>(std::min(count, tiles.size())));
  for (const dlib::rectangle& tile : result.tiles) {
    result.rows = std::max(result.rows, static_cast<int>(tile.bottom()) + 1 + outer_padding);
    result.columns = std::max(result.columns, static_cast<int>(tile.right()) + 1 + outer_padding);
  }
  return result;
}

dlib::rectangle TiledPyramid::to_picture(const dlib::drectangle& box) const {
  return dlib::tiled_pyramid_to_image<Pyramid>(tiles, box);
}

void fill_tiles(const TiledPyramid& pyramid, ImageView picture, const std::array<float, 3>& mean,
                float* tiles) {
  const TiledFloats out(pyramid, tiles);
  copy_picture(picture, mean, pyramid.tiles.front(), out);
  std::vector<float> row;
  for (size_t i = 1; i < pyramid.tiles.size(); ++i)
    shrink(pyramid.tiles[i - 1], pyramid.tiles[i], out, row);
}

}  // namespace prismvid::vision

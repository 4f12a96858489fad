#include "media/area_average.h"

#include <algorithm>
#include <type_traits>

#include "core/vector_clones.h"

namespace prismvid::media {
namespace {

// Source pixels first..last (both inclusive) under one output pixel; those between the two count
// fully.
struct Footprint {
  int first = 0;
  int last = 0;
  float first_weight = 0;
  float last_weight = 0;  // 0 when first == last
};

std::vector<Footprint> footprints(int source, int output) {
  std::vector<Footprint> result(static_cast<size_t>(output));
  for (int64_t i = 0; i < output; ++i) {
    const int64_t begin = i * source, end = begin + source;  // in 1/output of a source pixel
    Footprint& f = result[static_cast<size_t>(i)];
    f.first = static_cast<int>(begin / output);
    f.last = static_cast<int>((end - 1) / output);
    auto share = [&](int64_t units) {
      return static_cast<float>(units) / static_cast<float>(output);
    };
    if (f.first == f.last) {
      f.first_weight = share(source);
    } else {
      f.first_weight = share((f.first + int64_t{1}) * output - begin);
      f.last_weight = share(end - int64_t{f.last} * output);
    }
  }
  return result;
}

float weight_at(const Footprint& f, int position) {
  if (position == f.first) return f.first_weight;
  return position == f.last ? f.last_weight : 1.0f;
}

// sums[i] = or += the samples of `Count` rows, in one pass over them.
template <int Count, bool kIsFirst, typename Sample, typename Sum>
PRISMVID_VECTOR_CLONES void add_some_rows(const PlaneView<Sample>& source, int y, Sum* __restrict sums, int values) {
  const Sample* rows[Count];
  for (int r = 0; r < Count; ++r) rows[r] = source.row(y + r);
  for (int i = 0; i < values; ++i) {
    Sum sum = kIsFirst ? Sum{0} : sums[i];
    for (int r = 0; r < Count; ++r) sum = static_cast<Sum>(sum + rows[r][i]);
    sums[i] = sum;
  }
}

template <bool kIsFirst, typename Sample, typename Sum>
void add_up_to_four_rows(const PlaneView<Sample>& source, int y, int count, Sum* sums, int values) {
  switch (count) {
    case 1:
      return add_some_rows<1, kIsFirst>(source, y, sums, values);
    case 2:
      return add_some_rows<2, kIsFirst>(source, y, sums, values);
    case 3:
      return add_some_rows<3, kIsFirst>(source, y, sums, values);
    default:
      return add_some_rows<4, kIsFirst>(source, y, sums, values);
  }
}

template <typename Sample, typename Sum>
void add_rows(const PlaneView<Sample>& source, int begin, int end, Sum* sums, int values) {
  if (begin >= end) {
    std::fill_n(sums, values, Sum{0});
    return;
  }
  add_up_to_four_rows<true>(source, begin, end - begin, sums, values);
  for (int y = begin + 4; y < end; y += 4) add_up_to_four_rows<false>(source, y, end - y, sums, values);
}

template <typename Sample>
void add_weighted(const Sample* row, float weight, float* __restrict column_sums, int values) {
  for (int i = 0; i < values; ++i) column_sums[i] += weight * static_cast<float>(row[i]);
}

// column_sums[i] = the rows under the footprint, added with their weights.
template <typename Sample, typename Sum>
void sum_footprint_rows(const PlaneView<Sample>& source, const Footprint& f, Sum* sums,
                        float* __restrict column_sums) {
  const int values = source.width * source.channels;
  const int begin = f.first_weight == 1.0f ? f.first : f.first + 1;
  const bool single = f.first == f.last;
  const bool last_is_whole = single ? f.first_weight == 1.0f : f.last_weight == 1.0f;
  const int end = last_is_whole ? f.last + 1 : std::max(f.last, begin);
  add_rows(source, begin, end, sums, values);
  for (int i = 0; i < values; ++i) column_sums[i] = static_cast<float>(sums[i]);
  if (begin != f.first) add_weighted(source.row(f.first), f.first_weight, column_sums, values);
  if (!single && !last_is_whole)
    add_weighted(source.row(f.last), f.last_weight, column_sums, values);
}

// A few 16-bit sums fit in an int, which turns into float faster than an unsigned does.
template <typename Sum>
using Wide = std::conditional_t<std::is_same_v<Sum, uint16_t>, int, Sum>;

template <int Ratio, typename Sum>
PRISMVID_VECTOR_CLONES void average_columns_by(const Sum* __restrict column_sums, int width, float scale,
                        float* __restrict out) {
  for (int x = 0; x < width; ++x) {
    Wide<Sum> sum = 0;
    for (int k = 0; k < Ratio; ++k) sum += column_sums[x * Ratio + k];
    out[x] = static_cast<float>(sum) * scale;
  }
}

void average_columns(const float* column_sums, const std::vector<Footprint>& columns, int channels,
                     float scale, float* out) {
  for (size_t x = 0; x < columns.size(); ++x) {
    const Footprint& f = columns[x];
    for (int c = 0; c < channels; ++c) {
      float sum = f.first_weight * column_sums[f.first * channels + c];
      for (int i = f.first + 1; i < f.last; ++i) sum += column_sums[i * channels + c];
      sum += f.last_weight * column_sums[f.last * channels + c];
      out[x * static_cast<size_t>(channels) + static_cast<size_t>(c)] = sum * scale;
    }
  }
}

template <typename Sum>
PRISMVID_VECTOR_CLONES void average_many_columns(const Sum* __restrict column_sums, int ratio, int width, float scale, float* __restrict out) {
  for (int x = 0; x < width; ++x, column_sums += ratio) {
    Wide<Sum> sum = 0;
    for (int k = 0; k < ratio; ++k) sum += column_sums[k];
    out[x] = static_cast<float>(sum) * scale;
  }
}

// The columns of one channel under an output pixel where that is a whole number whose sum is sure to fit, else 0.
template <typename Sum>
int whole_ratio(int source_width, int channels, int width) {
  constexpr int kMost = std::is_same_v<Sum, uint16_t> ? 1024 : 6;
  const int ratio = channels == 1 && source_width % width == 0 ? source_width / width : 0;
  return ratio <= kMost ? ratio : 0;
}

template <typename Sum>
void average_columns_by(int ratio, const Sum* column_sums, int width, float scale, float* out) {
  switch (ratio) {
    case 1:
      return average_columns_by<1>(column_sums, width, scale, out);
    case 2:
      return average_columns_by<2>(column_sums, width, scale, out);
    case 3:
      return average_columns_by<3>(column_sums, width, scale, out);
    case 4:
      return average_columns_by<4>(column_sums, width, scale, out);
    case 6:
      return average_columns_by<6>(column_sums, width, scale, out);
    default:
      return average_many_columns(column_sums, ratio, width, scale, out);
  }
}

template <typename Sample, typename Sum>
void average(const PlaneView<Sample>& source, Size size, const RowSink& sink) {
  const auto columns = footprints(source.width, size.width);
  const auto rows = footprints(source.height, size.height);
  const int values = source.width * source.channels;
  std::vector<Sum> sums(static_cast<size_t>(values));
  std::vector<float> column_sums(static_cast<size_t>(values)),
      out(static_cast<size_t>(size.width * source.channels));
  const float scale = static_cast<float>(static_cast<double>(size.width) * size.height /
                                         source.width / source.height);
  const int ratio = whole_ratio<Sum>(source.width, source.channels, size.width);
  const bool whole_rows = source.height % size.height == 0;
  for (int y = 0; y < size.height; ++y) {
    const Footprint& row = rows[static_cast<size_t>(y)];
    if (ratio > 0 && whole_rows) {
      add_rows(source, row.first, row.last + 1, sums.data(), values);
      average_columns_by(ratio, sums.data(), size.width, scale, out.data());
    } else {
      sum_footprint_rows(source, row, sums.data(), column_sums.data());
      if (ratio > 0) {
        average_columns_by(ratio, column_sums.data(), size.width, scale, out.data());
      } else {
        average_columns(column_sums.data(), columns, source.channels, scale, out.data());
      }
    }
    sink(y, out.data());
  }
}

}  // namespace

template <typename Sample>
std::vector<float> area_average_plain(const PlaneView<Sample>& source, Size size) {
  const auto columns = footprints(source.width, size.width);
  const auto rows = footprints(source.height, size.height);
  std::vector<float> means;
  for (const Footprint& row : rows) {
    for (const Footprint& column : columns) {
      for (int c = 0; c < source.channels; ++c) {
        double sum = 0, area = 0;
        for (int y = row.first; y <= row.last; ++y) {
          for (int x = column.first; x <= column.last; ++x) {
            const double weight = static_cast<double>(weight_at(row, y)) * weight_at(column, x);
            sum += weight * source.row(y)[x * source.channels + c];
            area += weight;
          }
        }
        means.push_back(static_cast<float>(sum / area));
      }
    }
  }
  return means;
}

template <typename Sample>
void area_average(const PlaneView<Sample>& source, Size size, const RowSink& sink) {
  // 257 full rows of 255 are the most that 16 bits hold.
  const bool fits_16_bits = std::is_same_v<Sample, uint8_t> && source.height / size.height <= 256;
  if (fits_16_bits) {
    average<Sample, uint16_t>(source, size, sink);
  } else {
    average<Sample, uint32_t>(source, size, sink);
  }
}

Image area_average(ImageView image, Size size) {
  Image result(size.width, size.height, image.channels);
  const PlaneView<uint8_t> plane{image.data, image.width, image.height, image.channels,
                                 image.stride};
  area_average(plane, size, [&](int y, const float* row) {
    std::transform(row, row + result.stride(), result.row(y),
                   [](float v) { return static_cast<uint8_t>(v + 0.5f); });
  });
  return result;
}

template std::vector<float> area_average_plain(const PlaneView<uint8_t>&, Size);
template std::vector<float> area_average_plain(const PlaneView<uint16_t>&, Size);
template void area_average(const PlaneView<uint8_t>&, Size, const RowSink&);
template void area_average(const PlaneView<uint16_t>&, Size, const RowSink&);

}  // namespace prismvid::media

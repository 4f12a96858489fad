#include "inference/image_file.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/jpeg.h"

namespace prismvid::inference {
namespace {

constexpr uint64_t kMaximumPixels = 64'000'000;

bool starts_with(std::span<const uint8_t> bytes, std::initializer_list<uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

Image decode_png(std::span<const uint8_t> bytes, const std::string& name) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const bool begun = png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) != 0;
  check(begun, ErrorCode::kInvalidArgument, name, " is a damaged PNG: ", png.message);
  const uint64_t pixels = uint64_t{png.width} * png.height;
  if (pixels == 0 || pixels > kMaximumPixels) {
    png_image_free(&png);
    fail(ErrorCode::kInvalidArgument, name, " has ", png.width, " by ", png.height,
         " pixels; at most ", kMaximumPixels / 1'000'000, " million are read");
  }
  png.format = PNG_FORMAT_RGBA;
  std::vector<uint8_t> rgba(PNG_IMAGE_SIZE(png));
  const bool read = png_image_finish_read(&png, nullptr, rgba.data(), 0, nullptr) != 0;
  check(read, ErrorCode::kInvalidArgument, name, " is a damaged PNG: ", png.message);
  Image image(static_cast<int>(png.width), static_cast<int>(png.height), 3);
  for (uint64_t i = 0; i < pixels; ++i) std::copy_n(rgba.data() + 4 * i, 3, image.data() + 3 * i);
  return image;
}

// Reads numbers of a TIFF header in its byte order; out of bounds reads are 0.
struct TiffReader {
  std::span<const uint8_t> bytes;
  bool big_endian = false;

  uint32_t number(size_t at, size_t length) const {
    if (at > bytes.size() || length > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < length; ++i)
      value = value << 8 | bytes[at + (big_endian ? i : length - 1 - i)];
    return value;
  }
};

int tiff_orientation(std::span<const uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const TiffReader reader{tiff, tiff[0] == 'M'};
  const size_t directory = reader.number(4, 4);
  const uint32_t entries = reader.number(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + size_t{12} * i;
    if (entry + 12 > tiff.size()) break;
    if (reader.number(entry, 2) != 0x0112) continue;
    const auto value = static_cast<int>(reader.number(entry + 8, 2));
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

}  // namespace

int jpeg_orientation(std::span<const uint8_t> bytes) {
  static constexpr std::array<uint8_t, 6> kExif{'E', 'x', 'i', 'f', 0, 0};
  size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xFF && bytes[at + 1] != 0xDA) {
    const size_t length = size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    if (length < 2 || length > bytes.size() - at - 2) break;
    const auto segment = bytes.subspan(at + 4, length - 2);
    if (bytes[at + 1] == 0xE1 && segment.size() > 6 &&
        std::equal(kExif.begin(), kExif.end(), segment.begin()))
      return tiff_orientation(segment.subspan(6));
    at += 2 + length;
  }
  return 1;
}

Image upright(const Image& image, int value) {
  if (value == 1) return image;
  const bool exchanged = value >= 5;
  const bool mirrored =
      value == 2 || value == 3 || value == 7 || value == 8;  // along the stored rows
  const bool flipped =
      value == 3 || value == 4 || value == 6 || value == 7;  // along the stored columns
  Image result(exchanged ? image.height() : image.width(),
               exchanged ? image.width() : image.height(), 3);
  for (int y = 0; y < result.height(); ++y)
    for (int x = 0; x < result.width(); ++x) {
      const int u = exchanged ? y : x, v = exchanged ? x : y;
      const int from_x = mirrored ? image.width() - 1 - u : u,
                from_y = flipped ? image.height() - 1 - v : v;
      std::copy_n(image.row(from_y) + 3 * from_x, 3, result.row(y) + 3 * x);
    }
  return result;
}

Image decode_image(std::span<const uint8_t> bytes, const std::string& name) {
  if (starts_with(bytes, {0x89, 'P', 'N', 'G'})) return decode_png(bytes, name);
  check(starts_with(bytes, {0xFF, 0xD8, 0xFF}), ErrorCode::kInvalidArgument, name,
        " is neither JPEG nor PNG; convert it first");
  return upright(decode_jpeg(bytes), jpeg_orientation(bytes));
}

Image read_image(const std::filesystem::path& path) {
  check(std::filesystem::exists(path), ErrorCode::kNotFound, "no such image: ", path.string());
  std::ifstream in(path, std::ios::binary);
  check(in.good() && std::filesystem::is_regular_file(path), ErrorCode::kUnreadable, "cannot read ",
        path.string());
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  return decode_image(bytes, path.string());
}

}  // namespace prismvid::inference

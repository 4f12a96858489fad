#include "inference/image_file.h"

#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/jpeg.h"
#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::inference {
namespace {

std::vector<uint8_t> png_of(const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = image.width();
  png.height = image.height();
  png.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&png, nullptr, &size, 0, image.data(), 0, nullptr);
  std::vector<uint8_t> bytes(size);
  png_image_write_to_memory(&png, bytes.data(), &size, 0, image.data(), 0, nullptr);
  return bytes;
}

// A JPEG with an EXIF segment that tells the orientation, little end first.
std::vector<uint8_t> with_orientation(std::vector<uint8_t> jpeg, uint8_t value) {
  const std::vector<uint8_t> exif{0xFF, 0xE1, 0, 34, 'E',   'x', 'i', 'f', 0,    0, 'I', 'I',
                                  42,   0,    8, 0,  0,     0,   1,   0,   0x12, 1, 3,   0,
                                  1,    0,    0, 0,  value, 0,   0,   0,   0,    0, 0,   0};
  jpeg.insert(jpeg.begin() + 2, exif.begin(), exif.end());
  return jpeg;
}

TEST(ImageFile, ReadsPngExactly) {
  const Image image = qwen3_vl::synthetic_picture(37, 21, 1);
  const Image read = decode_image(png_of(image), "x");
  ASSERT_EQ(read.size(), image.size());
  EXPECT_TRUE(std::equal(read.data(), read.data() + 37 * 21 * 3, image.data()));
}

TEST(ImageFile, TurnsPicturesUpright) {
  Image image(2, 3, 3);
  for (int i = 0; i < 6; ++i) image.data()[3 * i] = static_cast<uint8_t>(i);  // 01 / 23 / 45
  const auto first = [](const Image& turned) {
    std::vector<int> values;
    for (int i = 0; i < turned.width() * turned.height(); ++i)
      values.push_back(turned.data()[3 * i]);
    return values;
  };
  EXPECT_EQ(first(upright(image, 1)), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(first(upright(image, 2)), (std::vector<int>{1, 0, 3, 2, 5, 4}));
  EXPECT_EQ(first(upright(image, 3)), (std::vector<int>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(first(upright(image, 4)), (std::vector<int>{4, 5, 2, 3, 0, 1}));
  EXPECT_EQ(first(upright(image, 5)), (std::vector<int>{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(first(upright(image, 6)), (std::vector<int>{4, 2, 0, 5, 3, 1}));
  EXPECT_EQ(first(upright(image, 7)), (std::vector<int>{5, 3, 1, 4, 2, 0}));
  EXPECT_EQ(first(upright(image, 8)), (std::vector<int>{1, 3, 5, 0, 2, 4}));
  EXPECT_EQ(upright(image, 6).size(), (Size{3, 2}));
}

TEST(ImageFile, FollowsTheExifOrientation) {
  const auto jpeg = encode_jpeg(qwen3_vl::synthetic_picture(32, 16, 1));
  EXPECT_EQ(jpeg_orientation(jpeg), 1);
  EXPECT_EQ(jpeg_orientation(with_orientation(jpeg, 6)), 6);
  EXPECT_EQ(jpeg_orientation(with_orientation(jpeg, 77)), 1);
  EXPECT_EQ(decode_image(with_orientation(jpeg, 6), "x").size(), (Size{16, 32}));
}

TEST(ImageFile, RefusesBombsDamageAndOtherFormats) {
  auto png = png_of(qwen3_vl::synthetic_picture(40, 40, 1));
  auto bomb = png;
  std::fill_n(bomb.begin() + 16, 8, 0x7F);  // 2 billion pixels a side
  EXPECT_THROW(decode_image(bomb, "x"), Error);
  png.resize(png.size() / 2);
  EXPECT_THROW(decode_image(png, "x"), Error);
  const std::vector<uint8_t> gif{'G', 'I', 'F', '8', '9', 'a', 1, 0, 1, 0};
  EXPECT_THROW(decode_image(gif, "x"), Error);
  EXPECT_THROW(decode_image({}, "x"), Error);
  EXPECT_THROW(read_image("/no/such/picture.jpg"), Error);
  auto jpeg = encode_jpeg(qwen3_vl::synthetic_picture(32, 16, 1));
  for (size_t length = 2; length < jpeg.size(); length += 7)
    jpeg_orientation(std::span(jpeg).first(length));
}

}  // namespace
}  // namespace prismvid::inference

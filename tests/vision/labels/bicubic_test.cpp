#include "vision/labels/bicubic.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/error.h"
#include "golden_pictures.h"

namespace prismvid::vision {
namespace {

TEST(Bicubic, GivesTheBytesOfPillow) {
  const nlohmann::json expected_of = goldens();
  for (const auto& [name, golden] : expected_of.items()) {
    const Image picture = read_ppm(name);
    const int shorter = std::min(picture.width(), picture.height());
    const Size size{picture.width() * 256 / shorter, picture.height() * 256 / shorter};
    const PixelArea area{static_cast<int>(std::nearbyint((size.width - 224) / 2.0)),
                         static_cast<int>(std::nearbyint((size.height - 224) / 2.0)), 224, 224};
    const Image crop = resize_bicubic(picture, size, area);
    EXPECT_EQ(std::accumulate(crop.data(), crop.data() + 224 * 224 * 3, int64_t{0}),
              golden["crop_sum"])
        << name;
    EXPECT_EQ(std::vector<int>(crop.row(100), crop.row(101)),
              golden["crop_row_100"].get<std::vector<int>>())
        << name;
  }
}

TEST(Bicubic, KeepsAPictureOfTheSameSize) {
  const Image picture = read_ppm("coffee.ppm");
  const Image same =
      resize_bicubic(picture, picture.size(), {0, 0, picture.width(), picture.height()});
  EXPECT_TRUE(std::equal(picture.data(), picture.data() + picture.stride() * picture.height(),
                         same.data()));
}

TEST(Bicubic, KeepsAnEvenPictureAtAnySize) {
  Image even(37, 5, 3);
  std::fill_n(even.data(), even.stride() * 5, uint8_t{200});
  for (const Size size : {Size{4, 4}, Size{100, 300}, Size{1, 1}}) {
    const Image resized = resize_bicubic(even, size, {0, 0, size.width, size.height});
    for (int i = 0; i < size.width * size.height * 3; ++i) ASSERT_EQ(resized.data()[i], 200);
  }
}

TEST(Bicubic, RefusesAPartOutsideTheResult) {
  const Image picture(10, 10, 3);
  EXPECT_THROW(resize_bicubic(picture, {20, 20}, {10, 10, 11, 5}), Error);
  EXPECT_THROW(resize_bicubic(picture, {20, 20}, {-1, 0, 5, 5}), Error);
  EXPECT_THROW(resize_bicubic(ImageView{}, {20, 20}, {0, 0, 5, 5}), Error);
}

}  // namespace
}  // namespace prismvid::vision

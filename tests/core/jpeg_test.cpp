#include "core/jpeg.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/error.h"

namespace prismvid {

TEST(Jpeg, DecodedPictureIsCloseToTheEncodedOne) {
  Image image(64, 48, 3);
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 64; ++x) {
      image.row(y)[3 * x] = static_cast<uint8_t>(x * 4);
      image.row(y)[3 * x + 1] = static_cast<uint8_t>(y * 5);
      image.row(y)[3 * x + 2] = 128;
    }
  const Image decoded = decode_jpeg(encode_jpeg(image, 95));
  ASSERT_EQ(decoded.size(), image.size());
  for (int i = 0; i < 64 * 48 * 3; ++i) EXPECT_NEAR(decoded.data()[i], image.data()[i], 12);
}

TEST(Jpeg, RefusesOtherBytes) {
  const std::vector<uint8_t> bytes(100, 7);
  EXPECT_THROW(decode_jpeg(bytes), Error);
}

}  // namespace prismvid

#include "media/still_picture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libheif/heif.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "core/jpeg.h"
#include "media/orientation.h"
#include "media/picture_header.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

constexpr Size kSize{98, 62};

Bytes bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// ffmpeg's test picture in a format, without its random parts.
Bytes test_picture(const std::string& name, const std::string& options = "") {
  return bytes_of(
      tests::synthetic_clip("-f lavfi -i testsrc=size=98x62 -frames:v 1 " + options, name));
}

// Without the sharp edges that fewer chroma samples cannot hold.
const std::string kSoft = "-vf format=gbrp,gblur=sigma=6,format=gbrp ";

// Mean difference of a channel from the test picture.
double difference(const Image& picture, const std::string& filter = "") {
  const Bytes expected = test_picture("picture.rgb", filter + "-f rawvideo -pix_fmt rgb24");
  EXPECT_EQ(picture.size(), kSize);
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) sum += std::abs(expected[i] - picture.data()[i]);
  return sum / static_cast<double>(expected.size());
}

std::string refusal(const Bytes& bytes) {
  try {
    decode_picture(bytes, "x");
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInvalidArgument);
    return e.what();
  }
  return "";
}

// A TIFF directory with nothing but the orientation: the body of an EXIF segment.
Bytes exif(uint8_t orientation) {
  return {'I', 'I', 42, 0, 8, 0,           0, 0, 1, 0, 0x12, 1, 3,
          0,   1,   0,  0, 0, orientation, 0, 0, 0, 0, 0,    0, 0};
}

Bytes inserted(Bytes into, size_t at, Bytes head, const Bytes& body, size_t behind) {
  head.insert(head.end(), body.begin(), body.end());
  head.resize(head.size() + behind);
  into.insert(into.begin() + static_cast<std::ptrdiff_t>(at), head.begin(), head.end());
  return into;
}

TEST(StillPicture, LosslessFormatsAreReadExactly) {
  EXPECT_EQ(difference(decode_picture(test_picture("a.png"), "x")), 0);
  EXPECT_EQ(difference(decode_picture(test_picture("b.png", "-pix_fmt rgba"), "x")), 0);
  EXPECT_EQ(difference(decode_picture(test_picture("a.bmp", "-pix_fmt bgr24"), "x")), 0);
  EXPECT_EQ(difference(decode_picture(test_picture("a.tiff", "-pix_fmt rgb24"), "x")), 0);
  EXPECT_EQ(difference(decode_picture(
                test_picture("b.tiff", "-pix_fmt rgb24 -compression_algo lzw"), "x")),
            0);
  EXPECT_EQ(difference(decode_picture(test_picture("a.webp", "-lossless 1 -pix_fmt bgra"), "x")),
            0);
  EXPECT_LT(difference(decode_picture(test_picture("c.png", "-pix_fmt rgb48be"), "x")), 1);
}

TEST(StillPicture, LossyFormatsAreReadInTheirColours) {
  const auto soft = [](const std::string& name, const std::string& options) {
    return difference(decode_picture(test_picture(name, kSoft + options), name), kSoft);
  };
  EXPECT_LT(soft("a.jpg", "-q:v 1 -pix_fmt yuvj444p"), 2);
  EXPECT_LT(soft("b.jpg", "-q:v 1 -pix_fmt yuvj420p"), 2);
  EXPECT_LT(soft("b.webp", "-quality 95 -pix_fmt yuv420p"), 3);
  EXPECT_LT(soft("a.avif", "-pix_fmt yuv444p -crf 5 -cpu-used 8"), 3);
  EXPECT_LT(difference(decode_picture(test_picture("a.gif"), "x")), 9);  // of 256 fixed colours
}

TEST(StillPicture, GreyIsFullRange) {
  for (const auto& [colour, level] : {std::pair{"black", 0}, {"white", 255}}) {
    const Image grey =
        decode_picture(bytes_of(tests::synthetic_clip("-f lavfi -i color=" + std::string(colour) +
                                                          ":size=16x16 -frames:v 1 -pix_fmt gray",
                                                      "grey.png")),
                       "x");
    EXPECT_TRUE(
        std::all_of(grey.data(), grey.data() + 16 * 16 * 3, [&](int v) { return v == level; }));
  }
}

TEST(StillPicture, JpegsOfInksBecomeColours) {
  Bytes inks;
  for (int i = 0; i < 64 * 64; ++i)
    inks.insert(inks.end(), {255, 0, 0, 255});  // magenta and yellow
  unsigned char* jpeg = nullptr;
  unsigned long size = 0;
  const tjhandle handle = tjInitCompress();
  ASSERT_EQ(tjCompress2(handle, inks.data(), 64, 0, 64, TJPF_CMYK, &jpeg, &size, TJSAMP_444, 95, 0),
            0);
  const Image red = decode_picture({jpeg, size}, "x");
  EXPECT_GT(red.data()[0], 245);
  EXPECT_LT(red.data()[1], 10);
  EXPECT_LT(red.data()[2], 10);
  tjFree(jpeg);
  tjDestroy(handle);
}

TEST(StillPicture, TurnsPicturesUpright) {
  Image image(2, 3, 3);
  for (int i = 0; i < 6; ++i) image.data()[3 * i] = static_cast<uint8_t>(i);  // 01 / 23 / 45
  const auto turned = [&](int value) {
    const Image result = upright(image, exif_orientation(value));
    std::vector<int> values;
    for (int i = 0; i < 6; ++i) values.push_back(result.data()[3 * i]);
    return values;
  };
  EXPECT_EQ(turned(1), (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(turned(2), (std::vector<int>{1, 0, 3, 2, 5, 4}));
  EXPECT_EQ(turned(3), (std::vector<int>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(turned(4), (std::vector<int>{4, 5, 2, 3, 0, 1}));
  EXPECT_EQ(turned(5), (std::vector<int>{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(turned(6), (std::vector<int>{4, 2, 0, 5, 3, 1}));
  EXPECT_EQ(turned(7), (std::vector<int>{5, 3, 1, 4, 2, 0}));
  EXPECT_EQ(turned(8), (std::vector<int>{1, 3, 5, 0, 2, 4}));
  EXPECT_EQ(upright(image, exif_orientation(6)).size(), (Size{3, 2}));
}

TEST(StillPicture, FollowsTheExifOrientationOfEachFormat) {
  const Bytes jpeg = inserted(test_picture("a.jpg", "-q:v 1 -pix_fmt yuvj444p"), 2,
                              {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0}, exif(6), 0);
  EXPECT_EQ(decode_picture(jpeg, "x").size(), (Size{62, 98}));
  const Bytes png =
      inserted(test_picture("a.png"), 33, {0, 0, 0, 26, 'e', 'X', 'I', 'f'}, exif(8), 4);
  EXPECT_EQ(decode_picture(png, "x").size(), (Size{62, 98}));
  const Bytes simple = test_picture("b.webp", "-quality 95 -pix_fmt yuv420p");
  Bytes webp = inserted(simple, simple.size(), {'E', 'X', 'I', 'F', 26, 0, 0, 0}, exif(5), 0);
  webp[4] = static_cast<uint8_t>(webp.size() - 8),
  webp[5] = static_cast<uint8_t>((webp.size() - 8) >> 8);
  EXPECT_EQ(decode_picture(webp, "x").size(), (Size{62, 98}));
  EXPECT_EQ(read_picture_header(
                inserted(jpeg, 2, {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0}, exif(77), 0))
                ->orientation,
            6);
}

// HEVC in HEIF as a telephone writes it, `size` all in one colour.
Bytes heic(Size size, std::array<uint8_t, 3> colour) {
  heif_image* image = nullptr;
  heif_image_create(size.width, size.height, heif_colorspace_RGB, heif_chroma_interleaved_RGB,
                    &image);
  heif_image_add_plane(image, heif_channel_interleaved, size.width, size.height, 8);
  int stride = 0;
  uint8_t* rows = heif_image_get_plane(image, heif_channel_interleaved, &stride);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < 3 * size.width; ++x) rows[y * stride + x] = colour[x % 3];
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  EXPECT_EQ(heif_context_get_encoder_for_format(context, heif_compression_HEVC, &encoder).code, 0);
  EXPECT_EQ(heif_context_encode_image(context, image, encoder, nullptr, nullptr).code, 0);
  Bytes bytes;
  heif_writer writer{1, [](heif_context*, const void* data, size_t length, void* target) {
                       const auto* begin = static_cast<const uint8_t*>(data);
                       static_cast<Bytes*>(target)->assign(begin, begin + length);
                       return heif_error{heif_error_Ok, heif_suberror_Unspecified, ""};
                     }};
  EXPECT_EQ(heif_context_write(context, &writer, &bytes).code, 0);
  heif_encoder_release(encoder);
  heif_image_release(image);
  heif_context_free(context);
  return bytes;
}

// Where the four letters of a box stand.
Bytes::iterator box(Bytes& bytes, const std::string& type) {
  return std::search(bytes.begin(), bytes.end(), type.begin(), type.end());
}

TEST(StillPicture, ReadsHeic) {
  Bytes bytes = heic({96, 64}, {200, 40, 40});
  const Image red = decode_picture(bytes, "x");
  EXPECT_EQ(red.size(), (Size{96, 64}));
  for (const auto& [channel, level] : {std::pair{0, 200}, {1, 40}, {2, 40}})
    EXPECT_NEAR(red.row(32)[3 * 48 + channel], level, 6);
  const Bytes half(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2));
  EXPECT_NE(refusal(half), "");
  const auto size = box(bytes, "ispe");
  ASSERT_NE(size, bytes.end());
  std::fill_n(size + 8, 8, uint8_t{0x7F});
  EXPECT_THAT(refusal(bytes), HasSubstr("2139062143 by 2139062143 pixels; at most 64 million"));
}

TEST(StillPicture, TakesTheFirstFrameOfAnimations) {
  const std::string moving = "-vf \"geq=r='if(N,0,255)':g='if(N,255,0)':b=0\" -frames:v 3 ";
  for (const auto& [name, options] :
       {std::pair{"moving.webp", "-c:v libwebp_anim -lossless 1 -pix_fmt bgra -loop 0"},
        {"moving.gif", "-loop 0"}}) {
    const Image first = decode_picture(
        bytes_of(tests::synthetic_clip("-f lavfi -i testsrc=size=98x62 " + moving + options, name)),
        name);
    EXPECT_EQ(first.size(), kSize);
    EXPECT_GT(first.row(30)[3 * 40], 250) << name;
    EXPECT_LT(first.row(30)[3 * 40 + 1], 5) << name;
  }
}

TEST(StillPicture, BombsAreRefusedWithTheirSizeBeforeTheyAreDecoded) {
  Bytes png = test_picture("a.png");
  std::fill_n(png.begin() + 16, 8, uint8_t{0x7F});
  EXPECT_THAT(refusal(png), HasSubstr("2139062143 by 2139062143 pixels; at most 64 million"));
  Bytes gif = test_picture("a.gif");
  std::fill_n(gif.begin() + 6, 4, uint8_t{0xFF});
  EXPECT_THAT(refusal(gif), HasSubstr("65535 by 65535"));
  Bytes bmp = test_picture("a.bmp", "-pix_fmt bgr24");
  bmp[20] = 1, bmp[24] = 1;  // 65536 more each way
  EXPECT_THAT(refusal(bmp), HasSubstr("65634 by 65598"));
  Bytes webp = test_picture("a.webp", "-lossless 1 -pix_fmt bgra");
  std::fill_n(webp.begin() + 21, 4, uint8_t{0xFF});
  EXPECT_THAT(refusal(webp), HasSubstr("16384 by 16384"));
  Bytes moving = bytes_of(tests::synthetic_clip(
      "-f lavfi -i testsrc=size=98x62 -frames:v 3 -c:v libwebp_anim -loop 0", "bomb.webp"));
  const auto canvas = box(moving, "VP8X");
  ASSERT_NE(canvas, moving.end());
  std::fill_n(canvas + 12, 6, uint8_t{0xFF});
  EXPECT_THAT(refusal(moving), HasSubstr("16777216 by 16777216"));
  Bytes jpeg = test_picture("a.jpg", "-q:v 1 -pix_fmt yuvj444p");
  const Bytes frame{0xFF, 0xC0, 0, 17, 8};
  const auto sof = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  ASSERT_NE(sof, jpeg.end());
  std::fill_n(sof + 5, 4, uint8_t{0xFF});
  EXPECT_THAT(refusal(jpeg), HasSubstr("65535 by 65535"));
}

TEST(StillPicture, RefusesDamageAndOtherFormats) {
  for (const auto& bytes :
       {test_picture("a.png"), test_picture("a.jpg", "-q:v 1 -pix_fmt yuvj444p"),
        test_picture("b.webp", "-quality 95 -pix_fmt yuv420p"),
        test_picture("a.bmp", "-pix_fmt bgr24")})
    EXPECT_NE(
        refusal({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 3)}),
        "");
  EXPECT_THAT(refusal({}), HasSubstr("no JPEG, PNG"));
  EXPECT_THAT(refusal({'%', 'P', 'D', 'F', '-', '1'}), HasSubstr("no JPEG, PNG"));
  EXPECT_THROW(read_picture("/no/such/picture.jpg"), Error);
  EXPECT_THROW(read_picture("/tmp"), Error);
}

TEST(StillPicture, AFileThatIsNoPictureCannotBeRead) {
  const auto file = std::filesystem::path(testing::TempDir()) / "no_picture.png";
  std::ofstream(file) << "no picture";
  try {
    read_picture(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnreadable);
    EXPECT_THAT(e.what(), HasSubstr("no_picture.png is no JPEG, PNG"));
  }
}

}  // namespace
}  // namespace prismvid::media

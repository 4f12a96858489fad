#include "core/jpeg.h"

#include <turbojpeg.h>

#include <memory>

#include "core/error.h"

namespace prismvid {
namespace {

using Handle = std::unique_ptr<void, int (*)(tjhandle)>;

}  // namespace

std::vector<uint8_t> encode_jpeg(ImageView image, int quality) {
  check(!image.empty() && (image.channels == 1 || image.channels == 3), ErrorCode::kInternal,
        "encode_jpeg needs an RGB or luma picture, got ", image.width, "x", image.height, "x", image.channels);
  Handle handle(tjInitCompress(), &tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int format = image.channels == 3 ? TJPF_RGB : TJPF_GRAY;
  const int sampling = image.channels == 3 ? TJSAMP_420 : TJSAMP_GRAY;
  const int status = tjCompress2(handle.get(), image.data, image.width, static_cast<int>(image.stride), image.height,
                                 format, &bytes, &size, sampling, quality, TJFLAG_FASTDCT);
  std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(bytes, &tjFree);
  check(status == 0, ErrorCode::kInternal, "encode_jpeg: ", tjGetErrorStr2(handle.get()));
  return {bytes, bytes + size};
}

Image decode_jpeg(std::span<const uint8_t> bytes) {
  Handle handle(tjInitDecompress(), &tjDestroy);
  int width = 0, height = 0, sampling = 0, colorspace = 0;
  const int status = tjDecompressHeader3(handle.get(), bytes.data(), bytes.size(), &width, &height, &sampling, &colorspace);
  check(status == 0, ErrorCode::kInvalidArgument, "not a JPEG picture: ", tjGetErrorStr2(handle.get()));
  check(static_cast<int64_t>(width) * height <= 64'000'000, ErrorCode::kInvalidArgument, "JPEG picture of ", width, "x",
        height, " pixels is larger than 64 million");
  Image image(width, height, 3);
  const int decoded = tjDecompress2(handle.get(), bytes.data(), bytes.size(), image.data(), width, 0, height, TJPF_RGB, 0);
  check(decoded == 0, ErrorCode::kInvalidArgument, "damaged JPEG picture: ", tjGetErrorStr2(handle.get()));
  return image;
}

}  // namespace prismvid

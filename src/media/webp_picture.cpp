#include "media/webp_picture.h"

#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "core/error.h"
#include "media/picture_header.h"

namespace prismvid::media {
namespace {

struct FreeDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

// One frame somewhere on a canvas; a still picture is a frame as large as its canvas.
struct FirstFrame {
  FirstFrame(WebPDemuxer* demuxer, const std::string& name) {
    check(WebPDemuxGetFrame(demuxer, 1, &at) != 0, ErrorCode::kInvalidArgument, name,
          " is a WebP picture without a whole frame");
  }
  ~FirstFrame() { WebPDemuxReleaseIterator(&at); }
  FirstFrame(const FirstFrame&) = delete;
  FirstFrame& operator=(const FirstFrame&) = delete;

  WebPIterator at{};
};

}  // namespace

Image decode_webp(std::span<const uint8_t> bytes, const std::string& name) {
  const WebPData data{bytes.data(), bytes.size()};
  const std::unique_ptr<WebPDemuxer, FreeDemuxer> demuxer(WebPDemux(&data));
  check(demuxer != nullptr, ErrorCode::kInvalidArgument, name, " is a damaged WebP picture");
  const Size canvas{static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)),
                    static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT))};
  check_picture_size(canvas, name);
  const FirstFrame frame(demuxer.get(), name);
  const WebPIterator& at = frame.at;
  Image image(canvas.width, canvas.height, 3);
  check(at.x_offset >= 0 && at.y_offset >= 0 && at.width > 0 && at.height > 0 &&
            at.width <= canvas.width - at.x_offset && at.height <= canvas.height - at.y_offset,
        ErrorCode::kInvalidArgument, name,
        " is a WebP picture whose frame lies outside of its canvas");
  uint8_t* target = image.row(at.y_offset) + 3 * at.x_offset;
  const auto room = static_cast<size_t>(image.data() + image.stride() * image.height() - target);
  check(WebPDecodeRGBInto(at.fragment.bytes, at.fragment.size, target, room,
                          static_cast<int>(image.stride())) != nullptr,
        ErrorCode::kInvalidArgument, name, " is a damaged WebP picture");
  return image;
}

}  // namespace prismvid::media

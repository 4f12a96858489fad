#include "media/still_picture.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <new>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/jpeg.h"
#include "media/ffmpeg.h"
#include "media/orientation.h"
#include "media/picture.h"
#include "media/picture_header.h"

namespace prismvid::media {
namespace {

constexpr uintmax_t kLargestFile = uintmax_t{1} << 30;

// Bytes in memory as FFmpeg reads and seeks them.
class MemoryInput {
 public:
  explicit MemoryInput(std::span<const uint8_t> bytes) : bytes_(bytes) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
    context_ = buffer ? avio_alloc_context(buffer, kBuffer, 0, this, read, nullptr, seek) : nullptr;
    if (context_ == nullptr) {
      av_free(buffer);
      throw std::bad_alloc();
    }
  }
  ~MemoryInput() {
    av_freep(&context_->buffer);
    avio_context_free(&context_);
  }
  MemoryInput(const MemoryInput&) = delete;
  MemoryInput& operator=(const MemoryInput&) = delete;

  AVIOContext* context() const { return context_; }

 private:
  static constexpr int kBuffer = 1 << 15;

  static int read(void* self, uint8_t* out, int size) {
    auto& in = *static_cast<MemoryInput*>(self);
    const size_t count = std::min(static_cast<size_t>(size), in.bytes_.size() - in.at_);
    if (count == 0) return AVERROR_EOF;
    std::memcpy(out, in.bytes_.data() + in.at_, count);
    in.at_ += count;
    return static_cast<int>(count);
  }

  static int64_t seek(void* self, int64_t offset, int whence) {
    auto& in = *static_cast<MemoryInput*>(self);
    const auto size = static_cast<int64_t>(in.bytes_.size());
    if (whence == AVSEEK_SIZE) return size;
    const int64_t base = whence == SEEK_CUR   ? static_cast<int64_t>(in.at_)
                         : whence == SEEK_END ? size
                                              : 0;
    if (offset < -base || offset > size - base) return AVERROR(EINVAL);
    in.at_ = static_cast<size_t>(base + offset);
    return static_cast<int64_t>(in.at_);
  }

  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
  AVIOContext* context_ = nullptr;
};

AVCodecID codec_of(PictureFormat format) {
  switch (format) {
    case PictureFormat::kJpeg:
      return AV_CODEC_ID_MJPEG;
    case PictureFormat::kPng:
      return AV_CODEC_ID_PNG;
    case PictureFormat::kGif:
      return AV_CODEC_ID_GIF;
    case PictureFormat::kBmp:
      return AV_CODEC_ID_BMP;
    case PictureFormat::kTiff:
      return AV_CODEC_ID_TIFF;
    case PictureFormat::kWebp:
      return AV_CODEC_ID_WEBP;
    case PictureFormat::kAvif:
      return AV_CODEC_ID_AV1;
  }
  return AV_CODEC_ID_NONE;
}

// A picture's own container is its codec's packet, except for AVIF.
PacketPtr whole_packet(std::span<const uint8_t> bytes) {
  PacketPtr packet = make_packet();
  if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) throw std::bad_alloc();
  std::memcpy(packet->data, bytes.data(), bytes.size());
  return packet;
}

// First packet of the picture item and the codec's set-up.
PacketPtr avif_packet(std::span<const uint8_t> bytes, AVCodecContext& decoder) {
  const MemoryInput input(bytes);
  AVFormatContext* opened = avformat_alloc_context();
  if (opened == nullptr) throw std::bad_alloc();
  opened->pb = input.context();
  if (avformat_open_input(&opened, nullptr, av_find_input_format("mov"), nullptr) < 0)
    return nullptr;
  const FormatContextPtr format(opened);
  PacketPtr packet = make_packet();
  while (av_read_frame(format.get(), packet.get()) >= 0) {
    const AVCodecParameters& stream = *format->streams[packet->stream_index]->codecpar;
    if (stream.codec_id == AV_CODEC_ID_AV1 && avcodec_parameters_to_context(&decoder, &stream) >= 0)
      return packet;
    av_packet_unref(packet.get());
  }
  return nullptr;
}

FramePtr decode_first(AVCodecContext& decoder, const AVPacket& packet) {
  FramePtr frame = make_av_frame();
  if (avcodec_send_packet(&decoder, &packet) < 0) return nullptr;
  avcodec_send_packet(&decoder, nullptr);
  return avcodec_receive_frame(&decoder, frame.get()) >= 0 ? std::move(frame) : nullptr;
}

// What stills say and videos leave open: grey is full range, WebP is BT.601.
void settle_colour(AVFrame& frame, PictureFormat format) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (d != nullptr && d->nb_components <= 2) frame.color_range = AVCOL_RANGE_JPEG;
  if (format == PictureFormat::kWebp) frame.colorspace = AVCOL_SPC_SMPTE170M;
}

Image decode_by_ffmpeg(std::span<const uint8_t> bytes, const PictureHeader& header,
                       const std::string& name) {
  redirect_ffmpeg_log();
  const AVCodec* codec = avcodec_find_decoder(codec_of(header.format));
  check(codec != nullptr, ErrorCode::kInvalidArgument, name, ": this FFmpeg reads no ",
        to_string(header.format), "; convert the picture to PNG or JPEG");
  const CodecContextPtr decoder(avcodec_alloc_context3(codec));
  if (!decoder) throw std::bad_alloc();
  const PacketPtr packet =
      header.format == PictureFormat::kAvif ? avif_packet(bytes, *decoder) : whole_packet(bytes);
  decoder->max_pixels = kLargestPicture;  // should the header have lied
  decoder->thread_count = 1;
  // Half a picture is no picture; but FFmpeg counts every TIFF tag that it does not know as damage.
  if (header.format != PictureFormat::kTiff) decoder->err_recognition = AV_EF_EXPLODE;
  FramePtr frame;
  if (packet && avcodec_open2(decoder.get(), codec, nullptr) >= 0)
    frame = decode_first(*decoder, *packet);
  check(frame != nullptr, ErrorCode::kInvalidArgument, name, " is a damaged ",
        to_string(header.format), " or of a kind that is not read (", last_ffmpeg_error(), ")");
  settle_colour(*frame, header.format);
  return coded_rgb(*frame, {frame->width, frame->height});
}

}  // namespace

Image decode_picture(std::span<const uint8_t> bytes, const std::string& name) {
  const auto header = read_picture_header(bytes);
  check(header.has_value(), ErrorCode::kInvalidArgument, name,
        " is no JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF picture, or a damaged one");
  const int64_t pixels = int64_t{header->size.width} * header->size.height;
  check(pixels <= kLargestPicture, ErrorCode::kInvalidArgument, name, " has ", header->size.width,
        " by ", header->size.height, " pixels; at most ", kLargestPicture / 1'000'000,
        " million are read");
  const bool plain_jpeg = header->format == PictureFormat::kJpeg && header->components != 4;
  Image picture = plain_jpeg ? decode_jpeg(bytes) : decode_by_ffmpeg(bytes, *header, name);
  return upright(std::move(picture), exif_orientation(header->orientation));
}

Image read_picture(const std::filesystem::path& path) {
  check(std::filesystem::exists(path), ErrorCode::kNotFound, "no such image: ", path.string());
  std::ifstream in(path, std::ios::binary);
  check(in.good() && std::filesystem::is_regular_file(path), ErrorCode::kUnreadable, "cannot read ",
        path.string());
  const auto bytes = std::filesystem::file_size(path);
  check(bytes <= kLargestFile, ErrorCode::kInvalidArgument, path.string(), " has ", bytes >> 20,
        " MB; pictures of at most ", kLargestFile >> 20, " MB are read");
  const std::vector<uint8_t> content{std::istreambuf_iterator<char>(in), {}};
  return decode_picture(content, path.string());
}

}  // namespace prismvid::media

#include "media/still_picture.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <new>
#include <vector>

#include "core/error.h"
#include "core/jpeg.h"
#include "media/ffmpeg.h"
#include "media/heif_picture.h"
#include "media/orientation.h"
#include "media/picture.h"
#include "media/picture_header.h"
#include "media/webp_picture.h"

namespace prismvid::media {
namespace {

constexpr uintmax_t kLargestFile = uintmax_t{1} << 30;

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
    case PictureFormat::kHeif:
      break;  // have libraries of their own
  }
  return AV_CODEC_ID_NONE;
}

// A picture's own container is its codec's packet.
PacketPtr whole_packet(std::span<const uint8_t> bytes) {
  PacketPtr packet = make_packet();
  if (av_new_packet(packet.get(), static_cast<int>(bytes.size())) < 0) throw std::bad_alloc();
  std::memcpy(packet->data, bytes.data(), bytes.size());
  return packet;
}

FramePtr decode_first(AVCodecContext& decoder, const AVPacket& packet) {
  FramePtr frame = make_av_frame();
  if (avcodec_send_packet(&decoder, &packet) < 0) return nullptr;
  avcodec_send_packet(&decoder, nullptr);
  return avcodec_receive_frame(&decoder, frame.get()) >= 0 ? std::move(frame) : nullptr;
}

// What stills say and videos leave open: grey is full range.
void settle_colour(AVFrame& frame) {
  const AVPixFmtDescriptor* d = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (d != nullptr && d->nb_components <= 2) frame.color_range = AVCOL_RANGE_JPEG;
}

Image decode_by_ffmpeg(std::span<const uint8_t> bytes, const PictureHeader& header,
                       const std::string& name) {
  redirect_ffmpeg_log();
  const AVCodec* codec = avcodec_find_decoder(codec_of(header.format));
  check(codec != nullptr, ErrorCode::kInvalidArgument, name, ": this FFmpeg reads no ",
        to_string(header.format), "; convert the picture to PNG or JPEG");
  const CodecContextPtr decoder(avcodec_alloc_context3(codec));
  if (!decoder) throw std::bad_alloc();
  const PacketPtr packet = whole_packet(bytes);
  decoder->max_pixels = kLargestPicture;  // should the header have lied
  decoder->thread_count = 1;
  // Half a picture is no picture; but FFmpeg counts every TIFF tag that it does not know as damage.
  if (header.format != PictureFormat::kTiff) decoder->err_recognition = AV_EF_EXPLODE;
  FramePtr frame;
  if (avcodec_open2(decoder.get(), codec, nullptr) >= 0) frame = decode_first(*decoder, *packet);
  check(frame != nullptr, ErrorCode::kInvalidArgument, name, " is a damaged ",
        to_string(header.format), " or of a kind that is not read (", last_ffmpeg_error(), ")");
  settle_colour(*frame);
  return coded_rgb(*frame, {frame->width, frame->height});
}

Image decode(std::span<const uint8_t> bytes, const PictureHeader& header, const std::string& name) {
  if (header.format == PictureFormat::kJpeg && header.components != 4) return decode_jpeg(bytes);
  if (header.format == PictureFormat::kWebp) return decode_webp(bytes, name);
  if (header.format == PictureFormat::kHeif) return decode_heif(bytes, name);
  return decode_by_ffmpeg(bytes, header, name);
}

}  // namespace

Image decode_picture(std::span<const uint8_t> bytes, const std::string& name) {
  const auto header = read_picture_header(bytes);
  check(header.has_value(), ErrorCode::kInvalidArgument, name,
        " is no JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF picture, or a damaged one");
  check_picture_size(header->size, name);
  return upright(decode(bytes, *header, name), exif_orientation(header->orientation));
}

Image read_picture(const std::filesystem::path& path) {
  check(std::filesystem::exists(path), ErrorCode::kNotFound, "no such image: ", path.string());
  std::ifstream in(path, std::ios::binary);
  check(in.good() && std::filesystem::is_regular_file(path), ErrorCode::kUnreadable, "cannot read ",
        path.string());
  const auto bytes = std::filesystem::file_size(path);
  check(bytes <= kLargestFile, ErrorCode::kUnreadable, path.string(), " has ", bytes >> 20,
        " MB; pictures of at most ", kLargestFile >> 20, " MB are read");
  std::vector<uint8_t> content(bytes);
  in.read(reinterpret_cast<char*>(content.data()), static_cast<std::streamsize>(bytes));
  content.resize(static_cast<size_t>(in.gcount()));
  try {
    return decode_picture(content, path.string());
  } catch (const Error& error) {
    // The file is wrong, not how it was asked for.
    throw Error(error.code() == ErrorCode::kInvalidArgument ? ErrorCode::kUnreadable : error.code(), error.what());
  }
}

}  // namespace prismvid::media

#include "media/disposable_packet.h"

namespace prismvid::media {
namespace {

enum class Unit { kNeeded, kDisposable, kNoPicture };

/// By nal_ref_idc and nal_unit_type (H.264, 7.3.1).
Unit h264_unit(uint8_t head) {
  const int type = head & 0x1f;
  if (type == 0 || type > 5) return Unit::kNoPicture;
  return (head & 0x60) == 0 ? Unit::kDisposable : Unit::kNeeded;
}

/// Of the pictures, the even types below 16 are needed by none of their layer (H.265, table 7-1).
Unit hevc_unit(uint8_t head) {
  const int type = head >> 1 & 0x3f;
  if (type > 31) return Unit::kNoPicture;
  return type < 16 && type % 2 == 0 ? Unit::kDisposable : Unit::kNeeded;
}

/// Bytes of the lengths in the packets, from the configuration record of MP4.
int length_bytes_of(const AVCodecParameters& stream) {
  const uint8_t* record = stream.extradata;
  const bool is_avc = stream.codec_id == AV_CODEC_ID_H264 && stream.extradata_size > 6;
  const bool is_hevc = stream.codec_id == AV_CODEC_ID_HEVC && stream.extradata_size > 22;
  if ((!is_avc && !is_hevc) || record[0] != 1) return 0;
  return (record[is_avc ? 4 : 21] & 3) + 1;
}

}  // namespace

DisposablePackets::DisposablePackets(const AVCodecParameters& stream)
    : codec_(stream.codec_id), length_bytes_(length_bytes_of(stream)) {}

bool DisposablePackets::contains(const AVPacket& packet) const {
  if (length_bytes_ == 0) return false;
  bool found = false;
  for (int64_t at = 0; at + length_bytes_ < packet.size;) {
    int64_t length = 0;
    for (int i = 0; i < length_bytes_; ++i) length = length << 8 | packet.data[at + i];
    at += length_bytes_;
    if (length == 0 || length > packet.size - at) return false;
    const uint8_t head = packet.data[at];
    const Unit unit = codec_ == AV_CODEC_ID_H264 ? h264_unit(head) : hevc_unit(head);
    if (unit == Unit::kNeeded) return false;
    found = found || unit == Unit::kDisposable;
    at += length;
  }
  return found;
}

}  // namespace prismvid::media

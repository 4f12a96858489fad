#pragma once

#include <array>
#include <cstdint>

#include "core/image.h"
#include "media/ffmpeg.h"

namespace prismvid::media {

/// Shows HDR pictures (PQ and HLG, ITU-R BT.2100) as SDR: BT.2020 to BT.709 colours, reference
/// white of 203 nits (BT.2408) near white, highlights above rolled off. Works on 8-bit signals:
/// right for looking at a picture, too coarse to grade one. Thread-safe.
class ToneMap {
 public:
  /// nullptr for SDR frames.
  static const ToneMap* of(const AVFrame& frame);

  void apply_to_rgb(Image& picture) const;
  void apply_to_luma(Image& picture) const;

 private:
  explicit ToneMap(bool hybrid_log_gamma);
  uint8_t shown(float linear) const;

  std::array<float, 256> linear_;    // signal to light, 1 = reference white
  std::array<uint8_t, 256> grey_;    // signal to shown, for equal parts of red, green and blue
  std::array<uint8_t, 4096> shown_;  // light 0..kBrightest to shown, square-root spaced
  bool hybrid_log_gamma_;
};

}  // namespace prismvid::media

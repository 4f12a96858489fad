#include "media/tone_map.h"

#include <algorithm>
#include <cmath>

namespace prismvid::media {
namespace {

constexpr float kReferenceWhiteNits = 203;
constexpr float kBrightest = 10000 / kReferenceWhiteNits;

// BT.2100 table 4: PQ signal to light in units of reference white.
float pq_to_linear(float signal) {
  constexpr float m1 = 2610.0f / 16384, m2 = 2523.0f / 4096 * 128, c1 = 3424.0f / 4096,
                  c2 = 2413.0f / 4096 * 32, c3 = 2392.0f / 4096 * 32;
  const float power = std::pow(signal, 1 / m2);
  return kBrightest * std::pow(std::max(power - c1, 0.0f) / (c2 - c3 * power), 1 / m1);
}

// BT.2100 table 5: HLG signal to scene light, 0..1.
float hlg_to_scene(float signal) {
  constexpr float a = 0.17883277f, b = 0.28466892f, c = 0.55991073f;
  return signal <= 0.5f ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
}

// HLG's system gamma of 1.2 for a display of 1000 nits.
float hlg_gain(float scene_luminance) {
  return 1000 / kReferenceWhiteNits * std::pow(std::max(scene_luminance, 0.0f), 0.2f);
}

float luminance_2020(float r, float g, float b) {
  return 0.2627f * r + 0.6780f * g + 0.0593f * b;
}

// Straight up to a knee, then ever flatter towards 1.
float roll_off(float light) {
  constexpr float knee = 0.6f;
  return light <= knee ? light : knee + (1 - knee) * (1 - std::exp(-(light - knee) / (1 - knee)));
}

uint8_t to_signal(float light) {
  return static_cast<uint8_t>(255 * std::pow(roll_off(std::max(light, 0.0f)), 1 / 2.2f) + 0.5f);
}

}  // namespace

ToneMap::ToneMap(bool hybrid_log_gamma) : hybrid_log_gamma_(hybrid_log_gamma) {
  for (size_t i = 0; i < shown_.size(); ++i) {
    const float root = static_cast<float>(i) / static_cast<float>(shown_.size() - 1);
    shown_[i] = to_signal(root * root * kBrightest);
  }
  for (size_t i = 0; i < linear_.size(); ++i) {
    const float signal = static_cast<float>(i) / 255;
    linear_[i] = hybrid_log_gamma ? hlg_to_scene(signal) : pq_to_linear(signal);
    grey_[i] = to_signal(linear_[i] * (hybrid_log_gamma ? hlg_gain(linear_[i]) : 1));
  }
}

const ToneMap* ToneMap::of(const AVFrame& frame) {
  static const ToneMap pq(false), hlg(true);
  if (frame.color_trc == AVCOL_TRC_SMPTE2084) return &pq;
  return frame.color_trc == AVCOL_TRC_ARIB_STD_B67 ? &hlg : nullptr;
}

uint8_t ToneMap::shown(float linear) const {
  const float root = std::sqrt(std::clamp(linear / kBrightest, 0.0f, 1.0f));
  return shown_[static_cast<size_t>(root * static_cast<float>(shown_.size() - 1) + 0.5f)];
}

void ToneMap::apply_to_rgb(Image& picture) const {
  uint8_t* const end = picture.data() + picture.stride() * picture.height();
  for (uint8_t* p = picture.data(); p != end; p += 3) {
    float r = linear_[p[0]], g = linear_[p[1]], b = linear_[p[2]];
    if (hybrid_log_gamma_) {
      const float gain = hlg_gain(luminance_2020(r, g, b));
      r *= gain, g *= gain, b *= gain;
    }
    // BT.2020 to BT.709 primaries, BT.2087 annex 2.
    p[0] = shown(1.6605f * r - 0.5876f * g - 0.0728f * b);
    p[1] = shown(-0.1246f * r + 1.1329f * g - 0.0083f * b);
    p[2] = shown(-0.0182f * r - 0.1006f * g + 1.1187f * b);
  }
}

void ToneMap::apply_to_luma(Image& picture) const {
  uint8_t* const end = picture.data() + picture.stride() * picture.height();
  std::transform(picture.data(), end, picture.data(),
                 [this](uint8_t signal) { return grey_[signal]; });
}

}  // namespace prismvid::media

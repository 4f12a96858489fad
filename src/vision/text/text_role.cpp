#include "vision/text/text_role.h"

#include <cmath>

namespace prismvid::vision {
namespace {

constexpr float kCentred = 0.12f;
constexpr float kSubtitleTop = 0.68f;
constexpr double kLongestSubtitle = 15;
constexpr float kLevelDegrees = 5;

bool is_subtitle(const TextAppearance& text) {
  const float centre = (text.box.x0 + text.box.x1) / 2;
  return std::abs(centre - 0.5f) < kCentred && text.box.y0 > kSubtitleTop &&
         text.duration_s <= kLongestSubtitle && text.box.width() > 1.5f * text.box.height();
}

}  // namespace

TextRole text_role(const TextAppearance& text) {
  const float moved = std::hypot(text.drift.x, text.drift.y);
  if (moved > 1.5f * text.box.height() && moved > 0.04f) {
    const bool rises = text.drift.y < 0 && std::abs(text.drift.y) > 3 * std::abs(text.drift.x);
    if (rises && text.rising_neighbours >= 1) return TextRole::kCredits;
    const bool runs = text.drift.x < 0 && std::abs(text.drift.x) > 8 * std::abs(text.drift.y);
    const bool in_a_band = text.box.y0 > 0.8f || text.box.y1 < 0.15f;
    return runs && in_a_band ? TextRole::kOverlay : TextRole::kScene;
  }
  if (std::abs(text.angle_degrees) > kLevelDegrees &&
      std::abs(std::abs(text.angle_degrees) - 90) > kLevelDegrees)
    return TextRole::kScene;
  if (is_subtitle(text)) return TextRole::kSubtitle;
  if (text.stood_in_moving_picture || text.crossed_shots) return TextRole::kOverlay;
  return text.started_with_shot && text.ended_with_shot ? TextRole::kScene : TextRole::kOverlay;
}

}  // namespace prismvid::vision

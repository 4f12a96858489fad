#include "vision/text/refused_regions.h"

#include <algorithm>

#include "vision/text/region_template.h"

namespace prismvid::vision {
namespace {

constexpr float kLarge = 0.25f;             // of the picture's height: a line of letters so high is rare
constexpr float kSameRegion = 0.3f;         // intersection over union: faces move
constexpr double kStronger = 1.3;           // times the energy
constexpr int64_t kReadAgainUs = 5'000'000;

bool is_large(const LumaFrame& luma, const Box& box) {
  return std::min(box.width(), box.height()) > kLarge * static_cast<float>(luma.luma.height());
}

double stroke_energy(const LumaFrame& luma, const Box& box) { return RegionTemplate(luma.luma, box).energy(); }

}  // namespace

void RefusedRegions::add(const LumaFrame& luma, const Box& box) {
  const auto is_over = [&](const Region& region) {
    return luma.pts_us - region.pts_us > kReadAgainUs || intersection_over_union(region.box, box) >= kSameRegion;
  };
  std::erase_if(regions_, is_over);
  if (is_large(luma, box)) regions_.push_back({box, stroke_energy(luma, box), luma.pts_us});
}

bool RefusedRegions::has(const LumaFrame& luma, const Box& box) const {
  const auto is_here = [&](const Region& region) {
    return luma.pts_us - region.pts_us <= kReadAgainUs && intersection_over_union(region.box, box) >= kSameRegion &&
           stroke_energy(luma, box) < kStronger * region.energy;
  };
  return is_large(luma, box) && std::any_of(regions_.begin(), regions_.end(), is_here);
}

}  // namespace prismvid::vision

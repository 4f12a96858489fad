#include "vision/shots/clip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace prismvid::vision {
namespace {

float hashed(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t h = x * 0x9E3779B1u ^ y * 0x85EBCA77u ^ seed * 0xC2B2AE3Du;
  h = (h ^ (h >> 15)) * 0x2C1B3C6Du;
  h = (h ^ (h >> 12)) * 0x297A2D39u;
  return static_cast<float>((h ^ (h >> 15)) & 0xFFFF) / 65535.0f;
}

/// Value noise: random values on a grid, interpolated.
float noise(float x, float y, uint32_t seed) {
  const float fx = std::floor(x);
  const float fy = std::floor(y);
  const auto ix = static_cast<uint32_t>(static_cast<int32_t>(fx));
  const auto iy = static_cast<uint32_t>(static_cast<int32_t>(fy));
  const float u = x - fx;
  const float v = y - fy;
  const float top = hashed(ix, iy, seed) * (1 - u) + hashed(ix + 1, iy, seed) * u;
  const float bottom = hashed(ix, iy + 1, seed) * (1 - u) + hashed(ix + 1, iy + 1, seed) * u;
  return top * (1 - v) + bottom * v;
}

}  // namespace

Image textured(Size size, uint32_t seed, float x, float y, float zoom) {
  Image image(size.width, size.height, 3);
  for (int row = 0; row < size.height; ++row)
    for (int column = 0; column < size.width; ++column) {
      const float u =
          ((static_cast<float>(column) / static_cast<float>(size.width) - 0.5f) / zoom + x) * 64;
      const float v =
          ((static_cast<float>(row) / static_cast<float>(size.height) - 0.5f) / zoom + y) * 36;
      const float fine = noise(u / 3, v / 3, seed) - 0.5f;
      for (uint32_t c = 0; c < 3; ++c) {
        const float value = 40 + 130 * noise(u / 11, v / 11, seed * 7 + c) + 120 * fine;
        image.row(row)[column * 3 + static_cast<int>(c)] =
            static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
      }
    }
  return image;
}

Image blend(const Image& a, const Image& b, float share) {
  Image out(a.width(), a.height(), 3);
  for (size_t i = 0; i < static_cast<size_t>(a.stride()) * a.height(); ++i)
    out.data()[i] =
        static_cast<uint8_t>(std::lround(a.data()[i] + (b.data()[i] - a.data()[i]) * share));
  return out;
}

Image graded(const Image& a, float gain, float offset) {
  Image out(a.width(), a.height(), 3);
  for (size_t i = 0; i < static_cast<size_t>(a.stride()) * a.height(); ++i)
    out.data()[i] = static_cast<uint8_t>(std::clamp(a.data()[i] * gain + offset, 0.0f, 255.0f));
  return out;
}

Image plain(Size size, uint8_t r, uint8_t g, uint8_t b) {
  Image out(size.width, size.height, 3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      uint8_t* p = out.row(y) + x * 3;
      p[0] = r, p[1] = g, p[2] = b;
    }
  return out;
}

void Clip::append(int frames, const Picture& picture) {
  for (int n = 0; n < frames; ++n) frames_.push_back(picture(n));
}

void Clip::dissolve(int frames, const Picture& from, const Picture& to) {
  for (int n = 0; n < frames; ++n)
    frames_.push_back(
        blend(from(n), to(n), static_cast<float>(n + 1) / static_cast<float>(frames + 1)));
}

std::vector<SettledShot> Clip::detect(ShotDetector& detector) const {
  std::vector<SettledShot> shots;
  std::vector<int> index_when_settled;
  auto collect = [&] {
    for (int next = static_cast<int>(index_when_settled.size());
         next < size() && pts_us(next) < detector.settled_until_us(); ++next)
      index_when_settled.push_back(detector.shot_index_at(pts_us(next)));
    for (SettledShot& shot : detector.take_settled()) shots.push_back(std::move(shot));
  };
  for (int n = 0; n < size(); ++n) {
    detector.add({n, pts_us(n), pts_us(n + 1) - pts_us(n), frames_[static_cast<size_t>(n)]});
    collect();
    EXPECT_LE(n - static_cast<int>(index_when_settled.size()), ShotDetector::kMaxLagFrames);
  }
  detector.finish();
  collect();

  EXPECT_EQ(static_cast<int>(index_when_settled.size()), size());
  for (size_t i = 0; i < shots.size(); ++i) {
    const Shot& shot = shots[i].shot;
    EXPECT_EQ(shots[i].index, static_cast<int>(i));
    EXPECT_EQ(shot.frame_start, i == 0 ? 0 : shots[i - 1].shot.frame_end);
    EXPECT_EQ(shot.range.start_us, i == 0 ? 0 : shots[i - 1].shot.range.end_us);
    EXPECT_EQ(shot.range.start_us, pts_us(static_cast<int>(shot.frame_start)));
    for (int64_t n = shot.frame_start; n < shot.frame_end; ++n)
      EXPECT_EQ(index_when_settled[static_cast<size_t>(n)], static_cast<int>(i)) << "frame " << n;
  }
  if (!shots.empty()) {
    EXPECT_EQ(shots.back().shot.frame_end, size());
    EXPECT_EQ(shots.back().shot.range.end_us, pts_us(size()));
  }
  return shots;
}

std::vector<int64_t> boundaries(const std::vector<SettledShot>& shots) {
  std::vector<int64_t> result;
  for (size_t i = 1; i < shots.size(); ++i) result.push_back(shots[i].shot.frame_start);
  return result;
}

}  // namespace prismvid::vision

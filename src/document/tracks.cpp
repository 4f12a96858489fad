#include "document/tracks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"

namespace prismvid::document {

namespace {

constexpr char kMagic[] = "PVTRACK1";
constexpr size_t kMagicSize = 8;
constexpr float kUnit = 65535;

class Writer {
 public:
  template <typename T>
  void integer(T value) {
    for (size_t i = 0; i < sizeof(T); ++i)
      bytes_.push_back(static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
  }
  void text(const std::string& text) {
    const auto size = static_cast<uint16_t>(std::min<size_t>(text.size(), 65535));
    integer(size);
    bytes_.insert(bytes_.end(), text.begin(), text.begin() + size);
  }
  void unit(float value) {
    integer(static_cast<uint16_t>(std::lround(std::clamp(value, 0.0f, 1.0f) * kUnit)));
  }
  void raw(const char* data, size_t size) { bytes_.insert(bytes_.end(), data, data + size); }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  template <typename T>
  T integer() {
    const auto part = take(sizeof(T));
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<uint64_t>(part[i]) << (8 * i);
    return static_cast<T>(value);
  }
  std::string text() {
    const auto part = take(integer<uint16_t>());
    return {part.begin(), part.end()};
  }
  float unit() { return static_cast<float>(integer<uint16_t>()) / kUnit; }
  std::span<const uint8_t> take(size_t size) {
    check(size <= bytes_.size(), ErrorCode::kInvalidArgument, "the tracks file ends too early");
    const auto part = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return part;
  }
  size_t left() const { return bytes_.size(); }

 private:
  std::span<const uint8_t> bytes_;
};

constexpr size_t kPointBytes = 8 + 5 * 2;

}  // namespace

std::vector<uint8_t> encode_tracks(const std::vector<Track>& tracks) {
  Writer out;
  out.raw(kMagic, kMagicSize);
  out.integer(static_cast<uint32_t>(tracks.size()));
  for (const Track& track : tracks) {
    out.integer(static_cast<uint8_t>(track.kind));
    out.text(track.id);
    out.text(track.label);
    out.integer(static_cast<uint32_t>(track.points.size()));
    for (const TrackPoint& point : track.points) {
      out.integer(point.pts_us);
      for (float v : {point.box.x0, point.box.y0, point.box.x1, point.box.y1}) out.unit(v);
      out.unit(point.score);
    }
  }
  return out.take();
}

std::vector<Track> decode_tracks(std::span<const uint8_t> bytes) {
  Reader in(bytes);
  const auto magic = in.take(kMagicSize);
  check(std::memcmp(magic.data(), kMagic, kMagicSize) == 0, ErrorCode::kInvalidArgument,
        "not a tracks file: it does not begin with ", kMagic);
  const auto count = in.integer<uint32_t>();
  std::vector<Track> tracks;
  for (uint32_t i = 0; i < count; ++i) {
    Track track;
    const auto kind = in.integer<uint8_t>();
    check(kind >= 1 && kind <= 3, ErrorCode::kInvalidArgument, "a track of unknown kind ",
          static_cast<int>(kind));
    track.kind = static_cast<TrackKind>(kind);
    track.id = in.text();
    track.label = in.text();
    const auto points = in.integer<uint32_t>();
    check(points <= in.left() / kPointBytes, ErrorCode::kInvalidArgument,
          "the tracks file ends too early");
    for (uint32_t p = 0; p < points; ++p) {
      TrackPoint point;
      point.pts_us = in.integer<int64_t>();
      for (float* v : {&point.box.x0, &point.box.y0, &point.box.x1, &point.box.y1}) *v = in.unit();
      point.score = in.unit();
      track.points.push_back(point);
    }
    tracks.push_back(std::move(track));
  }
  check(in.left() == 0, ErrorCode::kInvalidArgument, "the tracks file has ", in.left(),
        " bytes too many");
  return tracks;
}

}  // namespace prismvid::document

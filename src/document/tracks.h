#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/results.h"
#include "core/stage_output.h"

// The sidecar with every box of every track; its layout is in docs/tracks.md.
namespace prismvid::document {

enum class TrackKind : uint8_t { kObject = 1, kFace = 2, kText = 3 };

struct Track {
  TrackKind kind = TrackKind::kObject;
  std::string id;     // as in the document's instances
  std::string label;  // class of an object, text of a text; empty for faces
  std::vector<TrackPoint> points;
};

std::vector<uint8_t> encode_tracks(const std::vector<Track>& tracks);

/// Throws Error(kInvalidArgument) on anything but what encode_tracks() wrote.
std::vector<Track> decode_tracks(std::span<const uint8_t> bytes);

}  // namespace prismvid::document

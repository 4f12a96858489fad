#pragma once

#include <optional>
#include <vector>

#include "core/results.h"
#include "core/stage_output.h"

// Each stage's result as the bytes the store caches, and back. Times stay microseconds, boxes keep
// five decimals, face vectors every bit. decode_*() throws Error(kStore) on a format it does not
// know or on damage; a blob that is missing (a forgotten face) leaves its field empty.
namespace prismvid::document {

/// The shots stage also finds the markers.
struct ShotsValue {
  std::vector<Shot> shots;
  std::vector<Marker> markers;
};

StageOutput encode_shots(const ShotsValue& value);
ShotsValue decode_shots(const StageOutput& output);

StageOutput encode_scenes(const std::vector<Scene>& scenes);
std::vector<Scene> decode_scenes(const StageOutput& output);

StageOutput encode_objects(const std::vector<ObjectTrack>& tracks);
std::vector<ObjectTrack> decode_objects(const StageOutput& output);

StageOutput encode_faces(const std::vector<FaceTrack>& tracks);
std::vector<FaceTrack> decode_faces(const StageOutput& output);

StageOutput encode_texts(const std::vector<TextTrack>& tracks);
std::vector<TextTrack> decode_texts(const StageOutput& output);

StageOutput encode_labels(const std::vector<KeyframeLabels>& labels);
std::vector<KeyframeLabels> decode_labels(const StageOutput& output);

StageOutput encode_transcript(const std::optional<Transcript>& transcript);
std::optional<Transcript> decode_transcript(const StageOutput& output);

}  // namespace prismvid::document

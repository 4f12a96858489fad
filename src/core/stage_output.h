#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What a stage leaves behind, as bytes: made and read by document, kept by store.
namespace prismvid {

struct Blob {
  std::string name;
  std::vector<uint8_t> bytes;
};

/// `json` holds everything small; pictures and face vectors are blobs, so that one can go without
/// the others.
struct StageOutput {
  std::string json;
  std::vector<Blob> blobs;
};

/// Names of a stage's blobs. Keyframes are counted through all shots, thumbnails and vectors by
/// track.
inline std::string keyframe_blob(size_t keyframe) {
  return "keyframe_" + std::to_string(keyframe) + ".jpg";
}
inline std::string thumbnail_blob(size_t track) {
  return "thumb_" + std::to_string(track) + ".jpg";
}
inline std::string vector_blob(size_t track) {
  return "vector_" + std::to_string(track) + ".f32";
}

/// Names of the stages as they appear in the document, on the command line and in cache keys.
namespace stage {
inline constexpr char kProbe[] = "probe";
inline constexpr char kShots[] = "shots";  // with keyframes and markers
inline constexpr char kScenes[] = "scenes";
inline constexpr char kObjects[] = "objects";
inline constexpr char kFaces[] = "faces";
inline constexpr char kOcr[] = "ocr";
inline constexpr char kLabels[] = "labels";
inline constexpr char kPlaces[] = "places";
inline constexpr char kTranscript[] = "transcript";
// The deep stage's.
inline constexpr char kCaption[] = "caption";
inline constexpr char kDescribe[] = "describe";  // scenes
inline constexpr char kChapters[] = "chapters";
inline constexpr char kSummary[] = "summary";
inline constexpr char kStory[] = "story";
inline constexpr char kHighlights[] = "highlights";
}  // namespace stage

}  // namespace prismvid

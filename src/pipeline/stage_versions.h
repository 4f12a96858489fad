#pragma once

// Part of each stage's cache key: raise it when the same input may give another result.
namespace prismvid::pipeline {

inline constexpr const char* kShotsVersion = "3";
inline constexpr const char* kScenesVersion = "1";
inline constexpr const char* kObjectsVersion = "1";
inline constexpr const char* kFacesVersion = "5";
inline constexpr const char* kOcrVersion = "7";
inline constexpr const char* kLabelsVersion = "1";
inline constexpr const char* kTranscriptVersion = "1";
inline constexpr const char* kDeepVersion = "1";  // of all deep stages

}  // namespace prismvid::pipeline

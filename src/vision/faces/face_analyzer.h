#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/results.h"
#include "vision/faces/face.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"
#include "vision/objects/byte_tracker.h"
#include "vision/sample.h"

namespace prismvid::vision {

struct FaceOptions {
  std::string detector;  // id of the model, empty for the first installed one
  std::string embedder;
  int longest_side = 640;  // pictures are reduced to this for the search; more finds smaller faces
                           // and costs its square
  NetworkOptions network;
};

/// Both networks by their manifests; throws Error(kModel) saying which model is missing.
std::unique_ptr<FaceDetector> make_face_detector(const ModelRegistry& models,
                                                 const FaceOptions& options);
std::unique_ptr<FaceEmbedder> make_face_embedder(const ModelRegistry& models,
                                                 const FaceOptions& options);

/// FaceEmbedder::same_person_cosine() of a face_embedding model, without loading it.
float same_person_cosine(const ModelManifest& embedder);

/// Finds and follows the faces of one video. Each track gets one vector, from its best faces, and a
/// picture. Memory does not grow with the video as long as finished tracks are taken. Not
/// thread-safe.
class FaceAnalyzer {
 public:
  FaceAnalyzer(std::shared_ptr<FaceDetector> detector, std::shared_ptr<FaceEmbedder> embedder);
  FaceAnalyzer(const ModelRegistry& models, const FaceOptions& options);
  ~FaceAnalyzer();

  /// The next sample in time order. A new shot ends every track, and its first sample is searched. Of samples closer than a
  /// second, some wait for the next one in which the whole picture is searched and are then searched near the faces before
  /// and after them, one a call; the vectors of tracks that ended together are spread as well. At two samples a second every other one is searched; every fourth
  /// while the searches of a shot see the same faces, so that a face that comes and goes between two of them is missed.
  void add(const Sample& sample);

  /// Tracks that ended since the last call, by start.
  std::vector<FaceTrack> take_finished();

  /// Ends all tracks and gives those not taken yet.
  std::vector<FaceTrack> finish();

 private:
  struct Live;
  struct Held;
  void search(const Sample& sample);
  void settle_held(std::span<const DetectedFace> next, int64_t next_us);
  void follow_next();
  void end_shot();
  void end_tracks();
  void follow(const Sample& sample, std::span<const DetectedFace> faces, bool weigh_all);
  void extend(Live& track, const Sample& sample, const DetectedFace& face, const Box& box, bool weigh_all);
  void collect_ended();
  void complete_some();
  void embed_next(Live& track);

  std::shared_ptr<FaceDetector> detector_;
  std::shared_ptr<FaceEmbedder> embedder_;
  ByteTracker tracker_;
  std::map<TrackId, Live> live_;
  std::vector<Live> ended_;  // their vectors are not complete yet
  std::vector<FaceTrack> finished_;
  std::vector<Held> held_;            // since the last search
  std::vector<Held> behind_;          // they know where to look, and wait to be followed
  std::vector<DetectedFace> before_;  // of the last search in this shot
  std::optional<int64_t> searched_us_;  // when that was
  bool calm_ = false;                   // it saw the same faces as the one before it
  int shot_ = -1;
  int64_t last_pts_us_ = INT64_MIN / 2;
};

}  // namespace prismvid::vision

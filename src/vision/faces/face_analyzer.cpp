#include "vision/faces/face_analyzer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/image_copy.h"
#include "core/jpeg.h"
#include "vision/faces/face_quality.h"
#include "vision/faces/identity.h"

namespace prismvid::vision {
namespace {

constexpr size_t kEmbeddedFaces = 3;
constexpr int64_t kDenseUs = 900'000;  // samples closer than this need not all be searched
constexpr int64_t kHoldUs = 400'000;
constexpr size_t kMostHeld = 3;
constexpr float kThumbnailMargin = 0.4f;  // of the face, on each side

/// Faces move far between two samples a second and hardly ever share a place: boxes are matched
/// with room.
ByteTrackOptions tracking() {
  return {.high_score = 0.5f,
          .low_score = 0.3f,
          .new_track_score = 0.5f,
          .match_overlap = 0.1f,
          .margin = 0.5f};
}

Box relative(const Box& box, ImageView picture) {
  const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
  return clipped({box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height});
}

std::vector<uint8_t> thumbnail(ImageView picture, const Box& box) {
  const float margin_x = box.width() * kThumbnailMargin, margin_y = box.height() * kThumbnailMargin;
  const int x0 = std::clamp(static_cast<int>(box.x0 - margin_x), 0, picture.width - 1);
  const int y0 = std::clamp(static_cast<int>(box.y0 - margin_y), 0, picture.height - 1);
  const int x1 = std::clamp(static_cast<int>(box.x1 + margin_x), x0 + 1, picture.width);
  const int y1 = std::clamp(static_cast<int>(box.y1 + margin_y), y0 + 1, picture.height);
  return encode_jpeg(picture.crop(x0, y0, x1 - x0, y1 - y0));
}

Box middle(const Box& a, const Box& b) {
  return {(a.x0 + b.x0) / 2, (a.y0 + b.y0) / 2, (a.x1 + b.x1) / 2, (a.y1 + b.y1) / 2};
}

/// Where faces should be between two samples: half way where both show one.
std::vector<Box> places_between(std::span<const DetectedFace> before, std::span<const DetectedFace> after) {
  std::vector<Box> places;
  for (const DetectedFace& face : before) places.push_back(face.box);
  for (const DetectedFace& face : after) {
    const auto same = std::find_if(places.begin(), places.end(), [&](const Box& place) { return intersection_over_union(place, face.box) > 0.3f; });
    if (same != places.end()) {
      *same = middle(*same, face.box);
    } else {
      places.push_back(face.box);
    }
  }
  return places;
}

}  // namespace

struct FaceAnalyzer::Live {
  struct Candidate {
    float quality;
    Image chip;
  };
  FaceTrack track;
  std::vector<Candidate> candidates;  // best first, at most kEmbeddedFaces
};

/// A sample that waits for the next search.
struct FaceAnalyzer::Held {
  int64_t frame;
  int64_t pts_us;
  int shot;
  int64_t duration_us;
  Image picture;
};

FaceAnalyzer::FaceAnalyzer(std::shared_ptr<FaceDetector> detector,
                           std::shared_ptr<FaceEmbedder> embedder)
    : detector_(std::move(detector)), embedder_(std::move(embedder)), tracker_(tracking()) {}

FaceAnalyzer::FaceAnalyzer(const ModelRegistry& models, const FaceOptions& options)
    : FaceAnalyzer(make_face_detector(models, options), make_face_embedder(models, options)) {}

FaceAnalyzer::~FaceAnalyzer() = default;

void FaceAnalyzer::add(const Sample& sample) {
  if (sample.shot != shot_) {
    end_shot();
    shot_ = sample.shot;
  }
  const bool dense = sample.pts_us - last_pts_us_ < kDenseUs;
  last_pts_us_ = sample.pts_us;
  const bool waits = held_.size() < kMostHeld && (held_.empty() || sample.pts_us - held_.front().pts_us < kHoldUs);
  if (dense && waits) {
    held_.push_back({sample.frame, sample.pts_us, sample.shot, sample.duration_us, copy_of(sample.picture)});
    return;
  }
  std::vector<DetectedFace> faces = detector_->detect(sample.picture);
  search_held(faces);
  follow(sample, faces);
  before_ = std::move(faces);
  searched_ = true;
}

/// Near the faces before and after them; in the whole picture where there was no search in the shot.
void FaceAnalyzer::search_held(std::span<const DetectedFace> next) {
  const std::vector<Box> places = places_between(before_, next);
  for (const Held& held : std::exchange(held_, {})) {
    const Sample sample{held.frame, held.pts_us, held.shot, held.picture, held.duration_us};
    if (!searched_ && next.empty()) {
      follow(sample, detector_->detect(sample.picture));
    } else if (!places.empty()) {
      follow(sample, detector_->detect_near(sample.picture, places));
    }
  }
}

void FaceAnalyzer::follow(const Sample& sample, std::span<const DetectedFace> faces) {
  std::vector<Detection> boxes;
  for (const DetectedFace& face : faces)
    boxes.push_back({relative(face.box, sample.picture), face.score});
  const float aspect =
      static_cast<float>(sample.picture.width) / static_cast<float>(sample.picture.height);
  const std::vector<TrackId> ids = tracker_.update(sample.pts_us, boxes, aspect);
  for (size_t i = 0; i < faces.size(); ++i)
    if (ids[i] != kNoTrack) extend(live_[ids[i]], sample, faces[i], boxes[i].box);
  collect_ended();
}

void FaceAnalyzer::end_shot() {
  search_held({});
  before_.clear();
  searched_ = false;
  tracker_.end_all();
  collect_ended();
}

void FaceAnalyzer::extend(Live& live, const Sample& sample, const DetectedFace& face,
                          const Box& box) {
  FaceTrack& track = live.track;
  const bool first = track.points.empty();
  track.points.push_back({sample.pts_us, box, face.score});
  track.range = {track.points.front().pts_us, sample.pts_us + sample.duration_us};
  AlignedFace aligned = embedder_->align(sample.picture, face);
  const FaceQuality parts = assess_face(face, aligned);
  const float quality = parts.overall();
  if (first || quality > track.quality) {
    track.quality = quality;
    track.best = track.points.size() - 1;
    track.thumbnail_jpeg = thumbnail(sample.picture, face.box);
  }
  if (!parts.recognisable()) return;
  auto& candidates = live.candidates;
  const auto place = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const auto& other) { return other.quality < quality; });
  candidates.insert(place, {quality, std::move(aligned.chip)});
  if (candidates.size() > kEmbeddedFaces) candidates.pop_back();
}

void FaceAnalyzer::collect_ended() {
  for (const TrackId id : tracker_.take_ended()) {
    auto node = live_.extract(id);
    if (!node.empty()) finished_.push_back(completed(std::move(node.mapped())));
  }
}

FaceTrack FaceAnalyzer::completed(Live&& live) {
  FaceTrack track = std::move(live.track);
  track.embedding = embedding(live);
  return track;
}

/// Mean of the candidates' directions: one odd frame does not decide who it is.
std::vector<float> FaceAnalyzer::embedding(const Live& live) {
  std::vector<float> sum;
  for (const Live::Candidate& candidate : live.candidates) {
    std::vector<float> vector = embedder_->embed(candidate.chip);
    if (!normalise(vector)) continue;
    sum.resize(vector.size());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += vector[i];
  }
  return normalise(sum) ? sum : std::vector<float>();
}

std::vector<FaceTrack> FaceAnalyzer::take_finished() {
  std::stable_sort(finished_.begin(), finished_.end(), [](const FaceTrack& a, const FaceTrack& b) {
    return a.range.start_us < b.range.start_us;
  });
  return std::exchange(finished_, {});
}

std::vector<FaceTrack> FaceAnalyzer::finish() {
  end_shot();
  return take_finished();
}

}  // namespace prismvid::vision

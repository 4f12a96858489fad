#include "vision/faces/face_analyzer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/jpeg.h"
#include "vision/faces/face_quality.h"
#include "vision/faces/identity.h"
#include "vision/kept_sample.h"

namespace prismvid::vision {
namespace {

constexpr size_t kEmbeddedFaces = 3;
constexpr int64_t kDenseUs = 900'000;  // samples closer than this need not all be searched
// Between two searches of the whole picture: about a second, two where the last two searches of the shot saw the same faces.
constexpr int64_t kHoldUs = 400'000;
constexpr int64_t kHoldLongUs = 1'400'000;
constexpr size_t kMostHeld = 3;
constexpr size_t kMostBehind = 4;  // samples that wait to be followed after a call
constexpr float kSamePlace = 0.3f;  // intersection over union
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

Box between(const Box& a, const Box& b, float part) {
  const auto mix = [&](float x, float y) { return x + part * (y - x); };
  return {mix(a.x0, b.x0), mix(a.y0, b.y0), mix(a.x1, b.x1), mix(a.y1, b.y1)};
}

/// The face of `faces` at this place, or null.
const DetectedFace* face_at(std::span<const DetectedFace> faces, const Box& place) {
  const auto same = std::find_if(faces.begin(), faces.end(),
                                 [&](const DetectedFace& face) { return intersection_over_union(place, face.box) > kSamePlace; });
  return same == faces.end() ? nullptr : &*same;
}

/// Where faces should be at `part` of the way from one search to the next: in between where both saw one.
std::vector<Box> places_between(std::span<const DetectedFace> before, std::span<const DetectedFace> after, float part) {
  std::vector<Box> places;
  for (const DetectedFace& face : before) {
    const DetectedFace* later = face_at(after, face.box);
    places.push_back(later == nullptr ? face.box : between(face.box, later->box, part));
  }
  for (const DetectedFace& face : after)
    if (face_at(before, face.box) == nullptr) places.push_back(face.box);
  return places;
}

bool are_same_faces(std::span<const DetectedFace> a, std::span<const DetectedFace> b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const DetectedFace& face) { return face_at(b, face.box) != nullptr; });
}

}  // namespace

struct FaceAnalyzer::Live {
  struct Candidate {
    float quality;
    Image chip;
  };
  FaceTrack track;
  std::vector<Candidate> candidates;  // best first, at most kEmbeddedFaces; once the track has ended, those that are not in `sum`
  std::vector<float> sum = {};        // of the directions of their vectors
};

/// A sample that waits for the next search, or to be followed.
struct FaceAnalyzer::Held {
  KeptSample sample;
  bool is_searched = false;
  std::vector<Box> places = {};          // to look near where it is not
  std::vector<DetectedFace> faces = {};  // of the search
  bool ends_shot = false;

  explicit Held(const Sample& borrowed) : sample(borrowed) {}
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
  const int64_t hold_us = calm_ ? kHoldLongUs : kHoldUs;
  const bool waits = searched_us_ && held_.size() < kMostHeld && (held_.empty() || sample.pts_us - held_.front().sample.get().pts_us < hold_us);
  if (dense && waits) {
    held_.emplace_back(sample);
    follow_next();
    complete_some();
  } else {
    search(sample);
  }
  while (behind_.size() > (dense ? kMostBehind : 0)) follow_next();
  if (!dense) complete_some();
}

void FaceAnalyzer::search(const Sample& sample) {
  std::vector<DetectedFace> faces = detector_->detect(sample.picture);
  settle_held(faces, sample.pts_us);
  calm_ = searched_us_ && are_same_faces(before_, faces);
  searched_us_ = sample.pts_us;
  before_ = faces;
  if (behind_.empty()) return follow(sample, faces, true);
  Held& done = behind_.emplace_back(sample);
  done.is_searched = true;
  done.faces = std::move(faces);
}

/// What waited for a search learns where to look: near the faces before and after it, nowhere where neither search saw a face.
void FaceAnalyzer::settle_held(std::span<const DetectedFace> next, int64_t next_us) {
  for (Held& held : std::exchange(held_, {})) {
    const float part = static_cast<float>(held.sample.get().pts_us - *searched_us_) / static_cast<float>(next_us - *searched_us_);
    held.places = places_between(before_, next, part);
    if (!held.places.empty()) behind_.push_back(std::move(held));
  }
}

/// Looks at the sample that has waited longest, and follows it and those behind it that are looked at already. A sample with
/// a search of the whole picture costs most, so what it lets go on is done in the calls after it.
void FaceAnalyzer::follow_next() {
  bool looked = false;
  while (!behind_.empty() && (!looked || behind_.front().is_searched)) {
    Held next = std::move(behind_.front());
    behind_.erase(behind_.begin());
    if (!next.is_searched) {
      next.faces = detector_->detect_near(next.sample.get().picture, next.places);
      looked = true;
    }
    follow(next.sample.get(), next.faces, next.is_searched);
    if (next.ends_shot) end_tracks();
  }
}

void FaceAnalyzer::follow(const Sample& sample, std::span<const DetectedFace> faces, bool weigh_all) {
  std::vector<Detection> boxes;
  for (const DetectedFace& face : faces)
    boxes.push_back({relative(face.box, sample.picture), face.score});
  const float aspect =
      static_cast<float>(sample.picture.width) / static_cast<float>(sample.picture.height);
  const std::vector<TrackId> ids = tracker_.update(sample.pts_us, boxes, aspect);
  for (size_t i = 0; i < faces.size(); ++i)
    if (ids[i] != kNoTrack) extend(live_[ids[i]], sample, faces[i], boxes[i].box, weigh_all);
  collect_ended();
}

void FaceAnalyzer::end_shot() {
  settle_held({}, last_pts_us_ + 1);
  before_.clear();
  searched_us_.reset();
  calm_ = false;
  if (behind_.empty()) return end_tracks();
  behind_.back().ends_shot = true;
}

void FaceAnalyzer::end_tracks() {
  tracker_.end_all();
  collect_ended();
}

void FaceAnalyzer::extend(Live& live, const Sample& sample, const DetectedFace& face,
                          const Box& box, bool weigh_all) {
  FaceTrack& track = live.track;
  const bool first = track.points.empty();
  track.points.push_back({sample.pts_us, box, face.score});
  track.range = {track.points.front().pts_us, sample.pts_us + sample.duration_us};
  // Aligning costs as much as looking near a face, and between two searches there are seldom better ones.
  if (!weigh_all && live.candidates.size() >= kEmbeddedFaces) return;
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
    if (!node.empty()) ended_.push_back(std::move(node.mapped()));
  }
}

/// Embeds faces of ended tracks, an eighth of those that wait: the tracks of a shot end together.
void FaceAnalyzer::complete_some() {
  const size_t waiting = std::accumulate(ended_.begin(), ended_.end(), size_t{0}, [](size_t sum, const Live& live) { return sum + live.candidates.size(); });
  size_t most = (waiting + 7) / 8;
  auto live = ended_.begin();
  for (; live != ended_.end(); ++live) {
    for (; most > 0 && !live->candidates.empty(); --most) embed_next(*live);
    if (!live->candidates.empty()) break;
    if (normalise(live->sum)) live->track.embedding = std::move(live->sum);
    finished_.push_back(std::move(live->track));
  }
  ended_.erase(ended_.begin(), live);
}

/// Directions are added up: one odd frame does not decide who it is.
void FaceAnalyzer::embed_next(Live& live) {
  std::vector<float> vector = embedder_->embed(live.candidates.front().chip);
  live.candidates.erase(live.candidates.begin());
  if (!normalise(vector)) return;
  live.sum.resize(vector.size());
  for (size_t i = 0; i < vector.size(); ++i) live.sum[i] += vector[i];
}

std::vector<FaceTrack> FaceAnalyzer::take_finished() {
  std::stable_sort(finished_.begin(), finished_.end(), [](const FaceTrack& a, const FaceTrack& b) {
    return a.range.start_us < b.range.start_us;
  });
  return std::exchange(finished_, {});
}

std::vector<FaceTrack> FaceAnalyzer::finish() {
  end_shot();
  while (!behind_.empty()) follow_next();
  while (!ended_.empty()) complete_some();
  return take_finished();
}

}  // namespace prismvid::vision

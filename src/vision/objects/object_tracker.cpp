#include "vision/objects/object_tracker.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "core/error.h"
#include "core/jpeg.h"

namespace prismvid::vision {
namespace {

constexpr int kThumbnailSide = 256;
constexpr float kThumbnailMargin = 0.1f;

struct Pixels {
  int x, y, width, height;
};

/// The box with a margin in whole pixels inside the picture, at least one pixel.
Pixels crop_area(const Box& box, Size picture) {
  const float dx = box.width() * kThumbnailMargin;
  const float dy = box.height() * kThumbnailMargin;
  const Box wide = clipped({box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy});
  auto inside = [](float v, int side) { return std::clamp(static_cast<int>(v), 0, side - 1); };
  const int x = inside(wide.x0 * picture.width, picture.width);
  const int y = inside(wide.y0 * picture.height, picture.height);
  const int right = inside(std::ceil(wide.x1 * picture.width) - 1, picture.width);
  const int bottom = inside(std::ceil(wide.y1 * picture.height) - 1, picture.height);
  return {x, y, std::max(1, right - x + 1), std::max(1, bottom - y + 1)};
}

Image thumbnail(ImageView picture, const Box& box) {
  const Pixels area = crop_area(box, picture.size());
  const ImageView crop = picture.crop(area.x, area.y, area.width, area.height);
  const Size size = fit_within(crop.size(), kThumbnailSide);
  Image result(size.width, size.height, crop.channels);
  const int type = CV_8UC(crop.channels);
  const cv::Mat from(crop.height, crop.width, type, const_cast<uint8_t*>(crop.data), crop.stride);
  cv::Mat to(size.height, size.width, type, result.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

/// What makes an observation worth showing: sure and large.
float showing_value(const Detection& detection) {
  return detection.score * std::sqrt(detection.box.area());
}

float mean_score(const std::vector<TrackPoint>& points) {
  double sum = 0;
  for (const TrackPoint& point : points) sum += point.score;
  return static_cast<float>(sum / static_cast<double>(points.size()));
}

}  // namespace

ByteTrackOptions ObjectTracker::sparse() {
  ByteTrackOptions options;
  options.margin = 0.15f;
  return options;
}

ObjectTracker::ObjectTracker(std::vector<std::string> classes, ByteTrackOptions options)
    : classes_(std::move(classes)), tracker_(options) {}

void ObjectTracker::update(const Sample& sample, std::span<const Detection> detections) {
  check(!sample.picture.empty(), ErrorCode::kInternal, "object tracker got an empty picture");
  if (sample.shot != shot_) {
    tracker_.end_all();
    shot_ = sample.shot;
    last_pts_us_ = kNever;
  }
  const float aspect = static_cast<float>(sample.picture.width) / sample.picture.height;
  const std::vector<TrackId> ids = tracker_.update(sample.pts_us, detections, aspect);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] == kNoTrack) continue;
    const int class_id = detections[i].class_id;
    check(class_id >= 0 && class_id < static_cast<int>(classes_.size()), ErrorCode::kInternal,
          "object tracker got class ", class_id, " of ", classes_.size());
    add(live_[ids[i]], sample, detections[i]);
  }
  settle_ends(sample.pts_us);
  last_pts_us_ = sample.pts_us;
}

void ObjectTracker::add(Live& live, const Sample& sample, const Detection& detection) {
  ObjectTrack& track = live.track;
  if (track.points.empty()) {
    track.label = classes_[detection.class_id];
    track.range.start_us = sample.pts_us;
  }
  track.points.push_back({sample.pts_us, detection.box, detection.score});
  track.range.end_us = sample.pts_us + sample.duration_us;
  if (const float value = showing_value(detection);
      live.best_crop.empty() || value > live.best_value) {
    live.best_value = value;
    track.best = track.points.size() - 1;
    live.best_crop = thumbnail(sample.picture, detection.box);
  }
}

/// A track seen in the last sample but not in this one ended somewhere between: half way is the
/// best guess.
void ObjectTracker::settle_ends(int64_t pts_us) {
  for (auto& [id, live] : live_) {
    const int64_t seen_us = live.track.points.back().pts_us;
    if (seen_us == last_pts_us_)
      live.track.range.end_us = std::max(live.track.range.end_us, seen_us + (pts_us - seen_us) / 2);
  }
}

void ObjectTracker::finish() {
  tracker_.end_all();
}

std::vector<ObjectTrack> ObjectTracker::take_finished() {
  std::vector<TrackId> ended = tracker_.take_ended();
  std::sort(ended.begin(), ended.end());
  std::vector<ObjectTrack> finished;
  for (const TrackId id : ended) {
    auto node = live_.extract(id);
    Live& live = node.mapped();
    live.track.confidence = mean_score(live.track.points);
    live.track.thumbnail_jpeg = encode_jpeg(live.best_crop);
    finished.push_back(std::move(live.track));
  }
  return finished;
}

}  // namespace prismvid::vision

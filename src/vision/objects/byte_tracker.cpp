#include "vision/objects/byte_tracker.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "vision/objects/assignment.h"

namespace prismvid::vision {
namespace {

constexpr float kForbidden = 10.0f;

Box grown(const Box& box, float share) {
  const float dx = box.width() * share;
  const float dy = box.height() * share;
  return {box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy};
}

/// Removes the elements whose place in `matched` is set.
void keep_unmatched(std::vector<size_t>& indices, const std::vector<bool>& matched) {
  size_t kept = 0;
  for (size_t i = 0; i < indices.size(); ++i)
    if (!matched[i]) indices[kept++] = indices[i];
  indices.resize(kept);
}

}  // namespace

ByteTracker::ByteTracker(const ByteTrackOptions& options) : options_(options) {
  check(options.low_score <= options.high_score && options.high_score <= options.new_track_score,
        ErrorCode::kInvalidArgument, "tracker scores must rise: low ", options.low_score, ", high ",
        options.high_score, ", new track ", options.new_track_score);
  check(options.margin >= 0 && options.lost_us >= 0, ErrorCode::kInvalidArgument,
        "tracker needs a margin and a lost time of at least 0, got ", options.margin, " and ",
        options.lost_us, " us");
}

std::vector<TrackId> ByteTracker::update(int64_t pts_us, std::span<const Detection> detections,
                                         float picture_aspect) {
  advance(pts_us);
  picture_aspect_ = picture_aspect;
  std::vector<TrackId> ids(detections.size(), kNoTrack);
  Candidates high, low;
  for (size_t i = 0; i < tracks_.size(); ++i) high.tracks.push_back(i);
  for (size_t i = 0; i < detections.size(); ++i) {
    if (detections[i].score >= options_.high_score)
      high.detections.push_back(i);
    else if (detections[i].score >= options_.low_score)
      low.detections.push_back(i);
  }
  match(pts_us, detections, high, true, ids);
  for (const size_t track : high.tracks)
    if (!tracks_[track].lost) low.tracks.push_back(track);
  match(pts_us, detections, low, false, ids);
  for (Track& track : tracks_) track.lost = track.seen_us != pts_us;
  for (const size_t i : high.detections)
    if (detections[i].score >= options_.new_track_score) start(pts_us, detections[i], ids[i]);
  drop_lost(pts_us);
  return ids;
}

void ByteTracker::end_all() {
  for (const Track& track : tracks_) ended_.push_back(track.id);
  tracks_.clear();
}

std::vector<TrackId> ByteTracker::take_ended() {
  return std::exchange(ended_, {});
}

void ByteTracker::advance(int64_t pts_us) {
  check(tracks_.empty() || pts_us > pts_us_, ErrorCode::kInvalidArgument,
        "tracker got a sample at ", pts_us, " us after one at ", pts_us_, " us");
  const double seconds = static_cast<double>(pts_us - pts_us_) * 1e-6;
  for (Track& track : tracks_) {
    if (track.lost) track.motion.stop_growth();
    track.motion.predict(seconds);
  }
  pts_us_ = pts_us;
}

void ByteTracker::match(int64_t pts_us, std::span<const Detection> detections,
                        Candidates& candidates, bool first, std::vector<TrackId>& ids) {
  const float least = first ? options_.match_overlap : options_.low_match_overlap;
  const std::vector<int> pairs =
      assign(costs(detections, candidates, first), static_cast<int>(candidates.tracks.size()),
             static_cast<int>(candidates.detections.size()), 1 - least);
  std::vector<bool> tracks_matched(candidates.tracks.size());
  std::vector<bool> detections_matched(candidates.detections.size());
  for (size_t row = 0; row < pairs.size(); ++row) {
    if (pairs[row] == kUnassigned) continue;
    const size_t detection = candidates.detections[pairs[row]];
    Track& track = tracks_[candidates.tracks[row]];
    track.motion.correct(scaled(detections[detection].box));
    track.seen_us = pts_us;
    ids[detection] = track.id;
    tracks_matched[row] = detections_matched[pairs[row]] = true;
  }
  keep_unmatched(candidates.tracks, tracks_matched);
  keep_unmatched(candidates.detections, detections_matched);
}

std::vector<float> ByteTracker::costs(std::span<const Detection> detections,
                                      const Candidates& candidates, bool first) const {
  std::vector<float> costs;
  costs.reserve(candidates.tracks.size() * candidates.detections.size());
  for (const size_t t : candidates.tracks) {
    const Box expected = grown(tracks_[t].motion.box(), options_.margin);
    for (const size_t d : candidates.detections) {
      const Detection& detection = detections[d];
      const float overlap =
          intersection_over_union(expected, grown(scaled(detection.box), options_.margin));
      const float likeness = first ? overlap * detection.score : overlap;
      costs.push_back(tracks_[t].class_id == detection.class_id ? 1 - likeness : kForbidden);
    }
  }
  return costs;
}

void ByteTracker::start(int64_t pts_us, const Detection& detection, TrackId& id) {
  id = next_id_++;
  tracks_.push_back({id, detection.class_id, pts_us, false, BoxMotion(scaled(detection.box))});
}

void ByteTracker::drop_lost(int64_t pts_us) {
  std::erase_if(tracks_, [&](const Track& track) {
    const bool ended = pts_us - track.seen_us > options_.lost_us;
    if (ended) ended_.push_back(track.id);
    return ended;
  });
}

Box ByteTracker::scaled(const Box& box) const {
  return {box.x0 * picture_aspect_, box.y0, box.x1 * picture_aspect_, box.y1};
}

}  // namespace prismvid::vision

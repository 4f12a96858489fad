// How the reader ends its tracks and hands them out.
#include <algorithm>

#include "vision/text/quads.h"
#include "vision/text/text_reader.h"
#include "vision/text/text_role.h"
#include "vision/text/unicode.h"

namespace prismvid::vision {
namespace {

constexpr int64_t kLongestGapUs = 500'000;  // between two sights of one text
constexpr int64_t kUndetectedUs = 2'000'000;  // a text that looks unchanged may be missed by the detector this long

}  // namespace

void TextReader::close_lost(const LumaFrame& luma) {
  auto is_lost = [&](const OpenTrack& track) {
    if (track.last_sample_us == luma.pts_us) return false;
    return track.replaced || !track.looks_present() ||
           luma.pts_us - track.last_sample_us > kUndetectedUs;
  };
  for (const auto& track : open_)
    if (is_lost(*track)) close(*track, track->end_us(luma.pts_us), shot_changed_);
  std::erase_if(open_, [&](const auto& track) { return is_lost(*track); });
}

void TextReader::close(const OpenTrack& open_track, int64_t end_us, bool ended_with_shot) {
  const TextReading text = voted(open_track.readings());
  const TimeRange range{open_track.start_us(), end_us};
  if (range.end_us <= range.start_us) return;
  if (open_track.confirmations < 2 && text.confidence < kSingleSightConfidence) return;
  const float width = static_cast<float>(size_.width), height = static_cast<float>(size_.height);
  TextTrack track{text.text, guess_language(text.text), text.confidence, TextRole::kUnknown, range};
  track.quad = scaled(open_track.quad(), 1 / width, 1 / height);
  track.angle_degrees = angle_degrees(open_track.quad());
  track.observations = open_track.confirmations;
  TextAppearance look;
  look.box = bounding_box(track.quad);
  look.angle_degrees = track.angle_degrees;
  look.drift = {open_track.drift().x / width, open_track.drift().y / height};
  look.duration_s = static_cast<double>(range.duration_us()) / 1e6;
  look.stood_in_moving_picture = open_track.moving_picture_samples > 0;
  look.crossed_shots = open_track.first_shot != open_track.last_shot;
  look.started_with_shot = open_track.started_with_shot;
  look.ended_with_shot = ended_with_shot;
  look.rising_neighbours = rising_texts(&open_track);
  track.role = text_role(look);
  pending_.push_back({std::move(track), open_track.readings(), look.drift});
}

/// Other texts in sight that rise by more than their height.
int TextReader::rising_texts(const OpenTrack* except) const {
  int rising = 0;
  for (const auto& track : open_)
    rising += track.get() != except && track->drift().y < -track->box().height();
  for (const Pending& text : pending_)
    rising += text.drift.y < -bounding_box(text.track.quad).height();
  return rising;
}

Box TextReader::relative_box(const Quad& quad) const {
  return bounding_box(scaled(quad, 1.0f / size_.width, 1.0f / size_.height));
}

/// The same text in the same place after a short gap is one track.
void TextReader::continue_pending(OpenTrack& track) {
  const Box box = relative_box(track.quad());
  for (auto before = pending_.begin(); before != pending_.end(); ++before) {
    const TextTrack& old_track = before->track;
    if (track.start_us() - old_track.range.end_us >= kLongestGapUs) continue;
    if (intersection_over_union(bounding_box(old_track.quad), box) < 0.5f) continue;
    if (text_similarity(old_track.text, track.readings().front().text) < 1) continue;
    track.continue_from(old_track.range.start_us);
    track.confirmations += old_track.observations;
    track.readings().insert(track.readings().begin(), before->readings.begin(),
                            before->readings.end());
    pending_.erase(before);
    return;
  }
}

void TextReader::release_pending(int64_t now_us) {
  std::stable_sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
    return a.track.range.end_us < b.track.range.end_us;
  });
  // A track opened at the next sample may start up to two intervals before it.
  const int64_t reach_us =
      kLongestGapUs + (history_.empty() ? 0 : history_.back().pts_us - history_.front().pts_us);
  while (!pending_.empty() &&
         (now_us == INT64_MAX || pending_.front().track.range.end_us < now_us - reach_us)) {
    finished_.push_back(std::move(pending_.front().track));
    pending_.erase(pending_.begin());
  }
}

}  // namespace prismvid::vision

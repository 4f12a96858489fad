#include "vision/text/text_reader.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "core/error.h"
#include "vision/text/opencv_image.h"
#include "vision/text/picture_change.h"
#include "vision/text/text_role.h"
#include "vision/text/unicode.h"

namespace prismvid::vision {
namespace {

constexpr float kMovingPart = 0.3f;         // of the picture's blocks: the picture moves
constexpr float kCovered = 0.7f;            // of a box: its text is known already
constexpr float kSameRegion = 0.3f;         // intersection over union
constexpr size_t kMaxReadings = 5;          // of one text
constexpr int64_t kLongestGapUs = 500'000;  // between two sights of one text
constexpr int64_t kUndetectedUs =
    2'000'000;  // a text that looks unchanged may be missed by the detector this long
constexpr size_t kMaxHistory = 180;
constexpr float kSingleSightConfidence = 0.75f;

Quad scaled(const Quad& quad, float x, float y) {
  Quad result = quad;
  for (Point& p : result) p = {p.x * x, p.y * y};
  return result;
}

LumaFrame luma_of(const Sample& sample) {
  const Size size = fit_within(sample.picture.size(), kLumaSide);
  cv::Mat gray;
  cv::cvtColor(as_mat(sample.picture), gray, cv::COLOR_RGB2GRAY);
  LumaFrame frame{sample.frame, sample.pts_us, Image(size.width, size.height, 1)};
  cv::Mat target(size.height, size.width, CV_8U, frame.luma.data());
  cv::resize(gray, target, target.size(), 0, 0, cv::INTER_AREA);
  return frame;
}

float angle_degrees(const Quad& quad) {
  return std::atan2(quad[1].y - quad[0].y, quad[1].x - quad[0].x) * 180 / std::numbers::pi_v<float>;
}

/// Whether a new reading in a track's region is the track's text read again rather than another
/// text.
bool is_same_text(const OpenTrack& track, const RecognizedText& reading) {
  const TextReading known = voted(track.readings());
  const double similarity = text_similarity(known.text, reading.text);
  if (similarity == 1 || track.looks_unchanged()) return true;
  if (track.looks_faded() && similarity >= 0.8) return true;
  return similarity >= 0.6 && std::min(known.confidence, reading.confidence) < 0.85f;
}

/// Two readings agree: the model errs in single frames, even where it is certain.
bool is_settled(const std::vector<TextReading>& readings) {
  if (readings.size() >= kMaxReadings) return true;
  for (size_t i = 0; i < readings.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (readings[i].text == readings[j].text) return true;
  return false;
}

float centre_distance(const Box& a, const Box& b) {
  return std::hypot((a.x0 + a.x1 - b.x0 - b.x1) / 2, (a.y0 + a.y1 - b.y0 - b.y1) / 2);
}

}  // namespace

/// A box of the detector, in pixels of the luma frame and of the picture.
struct TextReader::Found {
  Quad quad{};
  Quad picture_quad{};
  Box box;
  bool must_read = true;
  OpenTrack* track = nullptr;
  RecognizedText reading;
};

TextReader::TextReader(TextEngine& engine) : engine_(engine) {}
TextReader::~TextReader() = default;

void TextReader::add(const Sample& sample, std::span<const LumaFrame> frames) {
  LumaFrame own;
  if (frames.empty() || frames.back().frame != sample.frame) own = luma_of(sample);
  follow(frames);
  remember(frames);
  if (!own.luma.empty()) {
    follow({&own, 1});
    remember({&own, 1});
  }
  interval_ = frames.size() + (own.luma.empty() ? 0 : 1);
  const LumaFrame luma = history_.back();
  size_ = luma.luma.size();
  shot_changed_ = sample.shot != shot_;
  shot_ = sample.shot;
  const float changed = changed_part(detected_luma_, luma.luma);
  picture_moves_ = changed > kMovingPart;
  ++stats_.samples;
  if (changed > 0) {
    look_for_text(sample, luma);
    detected_luma_ = luma.luma;
  } else {
    for (auto& track : open_) confirm(*track, luma, track->quad());
  }
  release_pending(sample.pts_us);
}

void TextReader::finish(std::span<const LumaFrame> frames, int64_t end_us) {
  follow(frames);
  remember(frames);
  for (const auto& track : open_) close(*track, track->end_us(end_us), true);
  open_.clear();
  release_pending(INT64_MAX);
}

std::vector<TextTrack> TextReader::take_finished() {
  return std::exchange(finished_, {});
}

void TextReader::follow(std::span<const LumaFrame> frames) {
  for (const LumaFrame& frame : frames)
    for (auto& track : open_) track->follow(frame);
}

void TextReader::remember(std::span<const LumaFrame> frames) {
  const size_t keep = std::min(kMaxHistory, interval_ + frames.size());
  history_.insert(history_.end(), frames.begin(), frames.end());
  while (history_.size() > std::max<size_t>(1, keep)) history_.pop_front();
}

void TextReader::confirm(OpenTrack& track, const LumaFrame& luma, const Quad& quad) {
  const double since_s = static_cast<double>(luma.pts_us - track.last_sample_us) / 1e6;
  if (!track.readings().empty()) track.readings().back().duration_s += since_s;
  if (picture_moves_ && track.drift().x == 0 && track.drift().y == 0)
    ++track.moving_picture_samples;
  track.last_shot = shot_;
  track.confirm(luma, quad);
}

void TextReader::look_for_text(const Sample& sample, const LumaFrame& luma) {
  ++stats_.detections;
  std::vector<Found> found = find_boxes(sample, luma);
  for (Found& box : found) recall(box, luma);
  read_boxes(sample, found);
  for (Found& box : found)
    if (box.must_read) assign(box, luma);
  for (const Found& box : found)
    if (box.must_read && box.track == nullptr && !box.reading.text.empty()) open(box, luma);
  close_lost(luma);
}

std::vector<TextReader::Found> TextReader::find_boxes(const Sample& sample,
                                                      const LumaFrame& luma) const {
  const float x = static_cast<float>(luma.luma.width()) / sample.picture.width;
  const float y = static_cast<float>(luma.luma.height()) / sample.picture.height;
  std::vector<Found> found;
  for (const TextBox& box : engine_.detect(sample.picture)) {
    Found& next = found.emplace_back();
    next.picture_quad = box.quad;
    next.quad = scaled(box.quad, x, y);
    next.box = bounding_box(next.quad);
  }
  return found;
}

/// Tracks that look unchanged need not be read again where they cover the box.
void TextReader::recall(Found& found, const LumaFrame& luma) {
  std::vector<OpenTrack*> covering;
  float covered = 0;
  for (auto& track : open_) {
    const Box shared = intersection(found.box, track->box());
    if (!track->looks_unchanged() || shared.width() <= 0 || shared.height() <= 0) continue;
    covered += shared.area();
    covering.push_back(track.get());
  }
  if (covered < kCovered * found.box.area()) return;
  if (covering.size() == 1 && !is_settled(covering[0]->readings())) return;
  found.must_read = false;
  for (OpenTrack* track : covering)
    if (track->last_sample_us != luma.pts_us)
      confirm(*track, luma, covering.size() == 1 ? found.quad : track->quad());
}

void TextReader::read_boxes(const Sample& sample, std::vector<Found>& found) {
  std::vector<Quad> quads;
  for (const Found& box : found)
    if (box.must_read) quads.push_back(box.picture_quad);
  if (quads.empty()) return;
  stats_.recognitions += static_cast<int64_t>(quads.size());
  std::vector<RecognizedText> readings = engine_.recognize(sample.picture, quads);
  auto next = readings.begin();
  for (Found& box : found) {
    if (!box.must_read) continue;
    box.reading = std::move(*next++);
    if (box.reading.confidence < kMinTextConfidence) box.reading = {};
  }
}

/// Gives a reading to the open track whose text it is, if there is one.
void TextReader::assign(Found& found, const LumaFrame& luma) {
  if (found.reading.text.empty()) return;
  OpenTrack* best = nullptr;
  double best_score = 0;
  for (auto& track : open_) {
    if (track->last_sample_us == luma.pts_us) continue;
    const float overlap = intersection_over_union(track->box(), found.box);
    const double similarity = text_similarity(voted(track->readings()).text, found.reading.text);
    const float reach = 0.25f * static_cast<float>(luma.luma.width());
    const bool near = similarity == 1 && centre_distance(track->box(), found.box) < reach;
    if (!(overlap >= kSameRegion && is_same_text(*track, found.reading)) && !near) continue;
    const double score = 1 + overlap + similarity;
    if (score > best_score) best_score = score, best = track.get();
  }
  if (best == nullptr) return;
  found.track = best;
  confirm(*best, luma, found.quad);
  best->add_reading({found.reading.text, found.reading.confidence, 0});
}

void TextReader::open(const Found& found, const LumaFrame& luma) {
  auto track = std::make_unique<OpenTrack>(luma, found.quad);
  std::vector<const LumaFrame*> earlier;
  for (size_t i = 0; i + 1 < history_.size(); ++i) earlier.push_back(&history_[i]);
  track->look_back(earlier);
  track->add_reading({found.reading.text, found.reading.confidence, 0});
  track->first_shot = track->last_shot = shot_;
  track->started_with_shot = shot_changed_;
  for (auto& other : open_)
    if (other->last_sample_us != luma.pts_us &&
        intersection_over_union(other->box(), found.box) >= kSameRegion)
      settle_change(*other, *track);
  continue_pending(*track);
  open_.push_back(std::move(track));
}

/// One text took another's place: where both seem to be there, the frames decide which of the two
/// they show.
void TextReader::settle_change(OpenTrack& before, OpenTrack& after) {
  before.replaced = true;
  if (before.end_us(history_.back().pts_us) <= after.start_us()) return;
  auto shows_after = [&](const LumaFrame& frame) {
    return RegionTemplate::shows_second(frame.luma, before.look(), after.look());
  };
  for (size_t i = 0; i < history_.size(); ++i) {
    if (history_[i].pts_us <= before.last_sample_us || !shows_after(history_[i])) continue;
    if (i + 1 < history_.size() && !shows_after(history_[i + 1])) continue;
    before.limit_end(history_[i].pts_us);
    after.limit_start(history_[i].pts_us);
    return;
  }
}

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

/// The same text in the same place after a short gap is one track.
void TextReader::continue_pending(OpenTrack& track) {
  const Box box = bounding_box(scaled(track.quad(), 1.0f / size_.width, 1.0f / size_.height));
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

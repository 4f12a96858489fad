#include "vision/text/text_reader.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "core/error.h"
#include "vision/kept_sample.h"
#include "vision/text/opencv_image.h"
#include "vision/text/picture_change.h"
#include "vision/text/quads.h"
#include "vision/text/unicode.h"

namespace prismvid::vision {
namespace {

constexpr float kMovingPart = 0.3f;         // of the picture's blocks: the picture moves
constexpr float kCovered = 0.7f;            // of a box: its text is known already
constexpr float kSameRegion = 0.3f;         // intersection over union
constexpr double kResembles = 0.6;          // similarity of a text and one that may be the same
constexpr int kMostVainLooks = 2;
constexpr float kInside = 0.9f;             // of a track's box: the detector's box holds it
constexpr float kSurroundings = 0.8f;       // of a line's height: at both ends together, less than a letter and a space
constexpr size_t kMaxReadings = 5;          // of one text
constexpr float kBeyondDoubt = 0.995f;      // confidence
constexpr size_t kMaxHistory = 180;
// A second, less the jitter of frame times; two where every text stands and is read for certain.
constexpr int64_t kLookEveryUs = 900'000;
constexpr int64_t kLookCalmlyUs = 1'900'000;
constexpr int64_t kStandingUs = 100'000;     // strokes that stay so long stand

// What is done in one call, in lines read; looking for text costs about as much as two of them.
constexpr int kEffort = 3;
constexpr int kSearchEffort = 2;
constexpr size_t kMostBehind = 4;  // samples that wait after a call

LumaFrame luma_of(const Sample& sample) {
  const Size size = fit_within(sample.picture.size(), kLumaSide);
  cv::Mat gray;
  cv::cvtColor(as_mat(sample.picture), gray, cv::COLOR_RGB2GRAY);
  LumaFrame frame{sample.frame, sample.pts_us, Image(size.width, size.height, 1)};
  cv::Mat target(size.height, size.width, CV_8U, frame.luma.data());
  cv::resize(gray, target, target.size(), 0, 0, cv::INTER_AREA);
  return frame;
}

/// Whether a new reading in a track's region is the track's text read again rather than another
/// text.
bool is_same_text(const OpenTrack& track, const RecognizedText& reading) {
  const TextReading known = voted(track.readings());
  const double similarity = text_similarity(known.text, reading.text);
  if (similarity == 1 || track.looks_unchanged()) return true;
  if (track.looks_faded() && similarity >= 0.8) return true;
  return similarity >= kResembles && std::min(known.confidence, reading.confidence) < 0.85f;
}

/// Two readings agree, since the model errs in single frames, or every letter is beyond doubt.
bool is_settled(const std::vector<TextReading>& readings) {
  if (readings.size() >= kMaxReadings || readings.front().confidence >= kBeyondDoubt) return true;
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
  bool is_read = false;
  OpenTrack* known = nullptr;  // the track whose text is read a second time
  OpenTrack* track = nullptr;
  bool resembles = false;  // a text that was there
  RecognizedText reading;
};

/// A sample on its way through the reader, with the frames up to it.
struct TextReader::Look {
  KeptSample sample;
  std::vector<LumaFrame> copies = {};  // of the frames, where the sample has no owner that keeps them
  std::span<const LumaFrame> frames = {};
  bool has_begun = false;
  Call call = Call::kNone;  // for looking for text
  std::vector<Found> found = {};

  Look(const Sample& borrowed, std::span<const LumaFrame> borrowed_frames) : sample(borrowed), frames(borrowed_frames) {
    if (borrowed.owner) return;
    copies.assign(frames.begin(), frames.end());
    frames = copies;
  }
};

TextReader::TextReader(TextEngine& engine) : engine_(engine) {}
TextReader::~TextReader() = default;

void TextReader::add(const Sample& sample, std::span<const LumaFrame> frames) {
  ++stats_.samples;
  work(kEffort);
  while (looks_.size() > kMostBehind) work(kEffort);
  looks_.emplace_back(sample, frames);
}

/// Goes on with what waits, the oldest first, until it is done or `effort` is spent.
void TextReader::work(int effort) {
  while (!looks_.empty() && effort > 0) {
    Look& look = looks_.front();
    if (!look.has_begun && effort < kSearchEffort) return;
    if (!look.has_begun) effort -= begin(look);
    effort -= read_some(look, effort);
    const auto waits = [](const Found& box) { return box.must_read && !box.is_read; };
    if (std::any_of(look.found.begin(), look.found.end(), waits)) return;
    end(look);
    looks_.erase(looks_.begin());
  }
}

/// Follows the frames and, where they call for it, looks for text. Returns the effort.
int TextReader::begin(Look& look) {
  look.has_begun = true;
  const Sample& sample = look.sample.get();
  LumaFrame own;
  if (look.frames.empty() || look.frames.back().frame != sample.frame) own = luma_of(sample);
  follow(look.frames);
  remember(look.frames);
  if (!own.luma.empty()) {
    follow({&own, 1});
    remember({&own, 1});
  }
  const LumaFrame& luma = history_.back();
  size_ = luma.luma.size();
  shot_changed_ = sample.shot != shot_;
  if (shot_changed_) {
    vain_looks_ = vain_stroke_looks_ = 0;
    strokes_.forget();
    refused_.forget();
  }
  shot_ = sample.shot;
  const float changed = changed_part(detected_luma_, luma.luma);
  picture_moves_ = changed > kMovingPart;
  if (changed > 0) look.call = call_for_look(luma);
  if (look.call == Call::kNone) confirm_all(luma);
  if (look.call != Call::kNone || changed == 0) {
    looked_us_ = luma.pts_us;
    before_look_ = std::exchange(since_look_, 0);
  }
  if (look.call == Call::kNone) return 0;
  detected_luma_ = luma.luma;
  look_for_text(look);
  return kSearchEffort;
}

/// Reads new lines, `most` of them at most. Returns how many.
int TextReader::read_some(Look& look, int most) {
  std::vector<Quad> quads;
  std::vector<Found*> boxes;
  for (Found& box : look.found) {
    if (!box.must_read || box.is_read || static_cast<int>(boxes.size()) >= most) continue;
    quads.push_back(box.picture_quad);
    boxes.push_back(&box);
  }
  if (quads.empty()) return 0;
  stats_.recognitions += static_cast<int64_t>(quads.size());
  std::vector<RecognizedText> readings = engine_.recognize(look.sample.get().picture, quads);
  for (size_t i = 0; i < boxes.size(); ++i) {
    boxes[i]->is_read = true;
    if (readings[i].confidence >= kMinTextConfidence) boxes[i]->reading = std::move(readings[i]);
  }
  return static_cast<int>(boxes.size());
}

/// Everything that was found is read: tracks go on, begin and end.
void TextReader::end(Look& look) {
  if (look.call != Call::kNone) settle(look);
  release_pending(look.sample.get().pts_us);
}

void TextReader::settle(Look& look) {
  const LumaFrame& luma = history_.back();
  for (Found& box : look.found)
    if (box.must_read) assign(box, luma);
  for (const Found& box : look.found)
    if (box.must_read && box.track == nullptr && !box.reading.text.empty()) open(box, luma);
  close_lost(luma);
  const auto is_restless = [](const Found& box) { return box.must_read && box.known == nullptr && box.track != nullptr; };
  calm_ = std::all_of(open_.begin(), open_.end(), [](const auto& track) { return is_settled(track->readings()); }) &&
          std::none_of(look.found.begin(), look.found.end(), is_restless);
  learn(look);
}

/// What calls for a look, none where the frames alone say that the texts are those of the last one. Strokes that moved are
/// left to the next look, and so is what seems to change but was found not to, as over a restless background.
TextReader::Call TextReader::call_for_look(const LumaFrame& luma) {
  if (shot_changed_ || luma.pts_us - looked_us_ >= (calm_ ? kLookCalmlyUs : kLookEveryUs)) return Call::kTime;
  const auto needs_look = [&](const auto& track) {
    const bool doubtful = track->confirmations < 2 && track->readings().back().confidence < kSingleSightConfidence;
    return track->looks_unchanged() ? doubtful : vain_looks_ < kMostVainLooks;
  };
  if (std::any_of(open_.begin(), open_.end(), needs_look)) return Call::kTracks;
  if (vain_stroke_looks_ >= kMostVainLooks && luma.pts_us - looked_us_ < kLookEveryUs) return Call::kNone;
  const auto before = std::find_if(history_.rbegin(), history_.rend(), [&](const LumaFrame& frame) {
    return frame.pts_us <= luma.pts_us - kStandingUs;
  });
  const bool is_clear = before != history_.rend() && before->pts_us > looked_us_ &&
                        !strokes_.sees_new_strokes(detected_luma_, before->luma, luma.luma);
  return is_clear ? Call::kNone : Call::kStrokes;
}

void TextReader::confirm_all(const LumaFrame& luma) {
  for (auto& track : open_)
    if (track->looks_unchanged()) confirm(*track, luma, track->place());
}

void TextReader::finish(std::span<const LumaFrame> frames, int64_t end_us) {
  while (!looks_.empty()) work(kEffort);
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
  since_look_ += frames.size();
  const size_t keep = std::min(kMaxHistory, before_look_ + since_look_);
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

void TextReader::look_for_text(Look& look) {
  ++stats_.detections;
  const LumaFrame& luma = history_.back();
  look.found = find_boxes(look.sample.get(), luma);
  for (Found& box : look.found) recall(box, luma);
  postpone_second_readings(look.found, luma);
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
  if (covered < kCovered * found.box.area()) {
    OpenTrack* track = inside(found);
    found.must_read = track == nullptr && !refused_.has(luma, found.box);
    if (track != nullptr && track->last_sample_us != luma.pts_us) confirm(*track, luma, track->place());
    return;
  }
  if (covering.size() == 1 && !is_settled(covering[0]->readings())) {
    found.known = covering[0];
    return;
  }
  found.must_read = false;
  for (OpenTrack* track : covering)
    if (track->last_sample_us != luma.pts_us)
      confirm(*track, luma, covering.size() == 1 ? found.quad : track->quad());
}

/// The unchanged track that the box holds with some of its surroundings, which a restless picture adds. Letters
/// that have come at its ends would add more.
OpenTrack* TextReader::inside(const Found& found) const {
  for (const auto& track : open_) {
    const Box box = track->box();
    if (!track->looks_unchanged() || !is_settled(track->readings())) continue;
    if (intersection(box, found.box).area() < kInside * box.area()) continue;
    const float line = std::min(box.width(), box.height());
    const float longer = std::max(found.box.width(), found.box.height()) - std::max(box.width(), box.height());
    const float higher = std::min(found.box.width(), found.box.height()) - line;
    if (longer < kSurroundings * line && higher < line) return track.get();
  }
  return nullptr;
}

/// What looked like text and is none need not be looked at again.
void TextReader::learn(const Look& look) {
  const auto is_new = [](const Found& box) { return !box.resembles && box.reading.confidence >= kSingleSightConfidence; };
  if (std::any_of(look.found.begin(), look.found.end(), is_new)) {
    vain_looks_ = vain_stroke_looks_ = 0;
  } else if (look.call == Call::kTracks) {
    ++vain_looks_;
  } else if (look.call == Call::kStrokes) {
    ++vain_stroke_looks_;
  }
  std::vector<Box> texts;
  for (const Found& box : look.found) {
    if (!box.must_read) continue;
    if (box.reading.text.empty()) {
      refused_.add(history_.back(), box.box);
    } else if (!box.resembles) {
      texts.push_back(box.box);
    }
  }
  strokes_.learn(texts);
}

/// New lines come in bunches: what is read for certainty only waits for another look, once.
void TextReader::postpone_second_readings(std::vector<Found>& found, const LumaFrame& luma) {
  const auto is_new = [](const Found& box) { return box.must_read && box.known == nullptr; };
  if (std::none_of(found.begin(), found.end(), is_new)) return;
  for (Found& box : found) {
    if (box.known == nullptr || std::exchange(box.known->reading_postponed, true)) continue;
    box.must_read = false;
    if (box.known->last_sample_us != luma.pts_us) confirm(*box.known, luma, box.quad);
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
    found.resembles = found.resembles || near || (overlap >= kSameRegion && similarity >= kResembles);
    if (!(overlap >= kSameRegion && is_same_text(*track, found.reading)) && !near) continue;
    const double score = 1 + overlap + similarity;
    if (score > best_score) best_score = score, best = track.get();
  }
  found.resembles = found.resembles || resembles_ended(found);
  if (best == nullptr) return;
  found.track = best;
  confirm(*best, luma, found.quad);
  if (text_similarity(voted(best->readings()).text, found.reading.text) == 1) best->confirm_text(luma);
  best->add_reading({found.reading.text, found.reading.confidence, 0});
}

/// Over a restless picture a text is lost and found again, each time with other letters.
bool TextReader::resembles_ended(const Found& found) const {
  const Box box = relative_box(found.quad);
  return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& ended) {
    return intersection_over_union(bounding_box(ended.track.quad), box) >= kSameRegion &&
           text_similarity(ended.track.text, found.reading.text) >= kResembles;
  });
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

}  // namespace prismvid::vision

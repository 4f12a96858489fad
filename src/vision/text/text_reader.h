#pragma once

#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "core/results.h"
#include "vision/sample.h"
#include "vision/text/open_track.h"
#include "vision/text/refused_regions.h"
#include "vision/text/stroke_watch.h"
#include "vision/text/text_engine.h"

namespace prismvid::vision {

/// Counts of what the reader did, for reports and tests.
struct TextReaderStats {
  int64_t samples = 0;
  int64_t detections = 0;    // samples in which text was looked for
  int64_t recognitions = 0;  // lines read
};

/// Reads the text of a video: one TextTrack a line of text, from the first frame that shows it to
/// the last. Text is looked for once a second, every two where all known ones stand and are read for
/// certain, and in samples whose frames show that a text has come, gone or changed, and read where a
/// region is new or has changed; start and end are then found in the luma of every frame. A sample is
/// worked on in the calls after the one that brought it, so that many new lines do not make one of
/// them long: results are the same, a few samples late. Memory does not grow with the video's length.
/// Not thread-safe.
class TextReader {
 public:
  explicit TextReader(TextEngine& engine);
  ~TextReader();

  /// Takes the next sample with the frames after the sample before, up to and including the
  /// sample's own.
  void add(const Sample& sample, std::span<const LumaFrame> frames);
  /// Ends the video with the frames after its last sample; `end_us` is the end of its last frame.
  void finish(std::span<const LumaFrame> frames, int64_t end_us);
  /// The tracks that are complete, in order of their ends.
  std::vector<TextTrack> take_finished();

  const TextReaderStats& stats() const { return stats_; }

 private:
  struct Pending {
    TextTrack track;
    std::vector<TextReading> readings;
    Point drift;
  };
  struct Found;
  struct Look;
  static constexpr float kSingleSightConfidence = 0.75f;  // of a text that is seen once

  void work(int effort);
  int begin(Look& look);
  int read_some(Look& look, int most);
  void end(Look& look);
  void settle(Look& look);
  void follow(std::span<const LumaFrame> frames);
  void remember(std::span<const LumaFrame> frames);
  enum class Call { kNone, kTime, kTracks, kStrokes };
  Call call_for_look(const LumaFrame& luma);
  void confirm(OpenTrack& track, const LumaFrame& luma, const Quad& quad);
  void confirm_all(const LumaFrame& luma);
  void look_for_text(Look& look);
  std::vector<Found> find_boxes(const Sample& sample, const LumaFrame& luma) const;
  void recall(Found& found, const LumaFrame& luma);
  OpenTrack* inside(const Found& found) const;
  void postpone_second_readings(std::vector<Found>& found, const LumaFrame& luma);
  void learn(const Look& look);
  void assign(Found& found, const LumaFrame& luma);
  bool resembles_ended(const Found& found) const;
  void open(const Found& found, const LumaFrame& luma);
  void settle_change(OpenTrack& before, OpenTrack& after);
  void close_lost(const LumaFrame& luma);
  void close(const OpenTrack& track, int64_t end_us, bool ended_with_shot);
  int rising_texts(const OpenTrack* except) const;
  Box relative_box(const Quad& quad) const;  // of pixels of a luma frame, as tracks keep it
  void continue_pending(OpenTrack& track);
  void release_pending(int64_t now_us);

  TextEngine& engine_;
  TextReaderStats stats_;
  std::vector<Look> looks_;  // the first may have begun, the others wait for it
  std::vector<std::unique_ptr<OpenTrack>> open_;
  std::vector<Pending> pending_;
  std::vector<TextTrack> finished_;
  std::deque<LumaFrame> history_;  // since the last look but one
  size_t before_look_ = 0;         // frames between the last two looks
  size_t since_look_ = 0;          // frames of history_ after the last look
  int64_t looked_us_ = 0;          // when text was last looked for
  Image detected_luma_;            // of that sample
  StrokeWatch strokes_;            // tells that text may have come since
  RefusedRegions refused_;         // of this shot
  Size size_;                      // of the luma frames
  int shot_ = -1;
  bool shot_changed_ = false;
  bool picture_moves_ = false;
  bool calm_ = false;          // every text stands and is read for certain
  int vain_looks_ = 0;         // in a row that changed tracks called for and that found no new text
  int vain_stroke_looks_ = 0;  // the same of new strokes
};

}  // namespace prismvid::vision

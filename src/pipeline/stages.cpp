#include "pipeline/stages.h"

#include <algorithm>
#include <functional>

#include "core/cpu.h"
#include "core/error.h"
#include "core/jpeg.h"
#include "document/stage_values.h"
#include "media/subtitles.h"
#include "vision/apple/apple_vision.h"
#include "vision/faces/face_analyzer.h"
#include "vision/labels/label_classifier.h"
#include "vision/objects/object_detector.h"
#include "vision/objects/object_tracker.h"
#include "vision/shots/scene_grouping.h"
#include "vision/text/text_reader.h"

namespace prismvid::pipeline {
namespace {

using vision::Sample;
using LumaFrames = std::span<const vision::LumaFrame>;

vision::Precision precision(const AnalyzeOptions& options) {
  return options.exact ? vision::Precision::kExact : vision::Precision::kFast;
}

/// Tracks that have ended. Their pictures do not wait with them.
template <typename Track>
class EndedTracks {
 public:
  void add(std::vector<Track> ended) {
    for (Track& track : ended) {
      if (!track.thumbnail_jpeg.empty()) pictures_.push_back({thumbnail_blob(tracks_.size()), std::exchange(track.thumbnail_jpeg, {})});
      tracks_.push_back(std::move(track));
    }
  }
  std::vector<Blob> take_pictures() { return std::exchange(pictures_, {}); }
  /// All tracks, and the pictures that were not taken.
  StageOutput encoded(StageOutput (*encode)(const std::vector<Track>&)) {
    StageOutput output = encode(tracks_);
    for (Blob& picture : take_pictures()) output.blobs.push_back(std::move(picture));
    return output;
  }

 private:
  std::vector<Track> tracks_;
  std::vector<Blob> pictures_;
};

class ObjectsStage : public DetectorStage {
 public:
  explicit ObjectsStage(std::shared_ptr<vision::ObjectDetector> detector)
      : detector_(std::move(detector)), tracker_(detector_->classes()) {}

  void add(const Sample& sample, LumaFrames) override {
    tracker_.update(sample, detector_->detect(sample.picture));
    ended_.add(tracker_.take_finished());
  }

  StageOutput finish(LumaFrames, int64_t) override {
    tracker_.finish();
    ended_.add(tracker_.take_finished());
    return ended_.encoded(document::encode_objects);
  }

  std::vector<Blob> take_early_blobs() override { return ended_.take_pictures(); }

 private:
  std::shared_ptr<vision::ObjectDetector> detector_;
  vision::ObjectTracker tracker_;
  EndedTracks<ObjectTrack> ended_;
};

class FacesStage : public DetectorStage {
 public:
  FacesStage(std::shared_ptr<vision::FaceDetector> detector, std::shared_ptr<vision::FaceEmbedder> embedder)
      : analyzer_(std::move(detector), std::move(embedder)) {}

  void add(const Sample& sample, LumaFrames) override {
    analyzer_.add(sample);
    ended_.add(analyzer_.take_finished());
  }

  StageOutput finish(LumaFrames, int64_t) override {
    ended_.add(analyzer_.finish());
    return ended_.encoded(document::encode_faces);
  }

  std::vector<Blob> take_early_blobs() override { return ended_.take_pictures(); }

 private:
  vision::FaceAnalyzer analyzer_;
  EndedTracks<FaceTrack> ended_;
};

/// A lone sign is more often a shape than a text: it must be nearly certain.
bool is_plausible(const TextTrack& track) {
  constexpr float kLoneSignConfidence = 0.95f;
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return std::count_if(track.text.begin(), track.text.end(), starts_character) > 1 || track.confidence >= kLoneSignConfidence;
}

class TextStage : public DetectorStage {
 public:
  explicit TextStage(std::shared_ptr<vision::TextEngine> engine) : engine_(std::move(engine)), reader_(*engine_) {}

  bool needs_luma() const override { return true; }

  void add(const Sample& sample, LumaFrames frames) override {
    reader_.add(sample, frames);
    collect();
  }

  StageOutput finish(LumaFrames frames, int64_t end_us) override {
    reader_.finish(frames, end_us);
    collect();
    return document::encode_texts(tracks_);
  }

 private:
  void collect() {
    for (TextTrack& track : reader_.take_finished())
      if (is_plausible(track)) tracks_.push_back(std::move(track));
  }

  std::shared_ptr<vision::TextEngine> engine_;
  vision::TextReader reader_;
  std::vector<TextTrack> tracks_;
};

/// Stands for the networks of a stage: its models and how they run.
std::string networks_key(const StagePlan& plan, const AnalyzeOptions& options, int threads) {
  std::string key = plan.name + (options.apple_vision ? " apple " : " ") + (options.exact ? "exact " : "fast ") + std::to_string(threads);
  for (const vision::ModelManifest& model : plan.models) key += " " + model.content_hash();
  return key;
}

std::shared_ptr<vision::ObjectDetector> make_objects(const StagePlan& plan, int threads) {
  return std::make_shared<vision::ObjectDetector>(plan.models.at(0), threads);
}

struct FaceNetworks {
  std::shared_ptr<vision::FaceDetector> detector;
  std::shared_ptr<vision::FaceEmbedder> embedder;
};

std::shared_ptr<FaceNetworks> make_faces(const vision::ModelRegistry& models, const AnalyzeOptions& options, int threads) {
  vision::FaceOptions face_options;
  face_options.network = {precision(options), threads, {}};
  auto detector = options.apple_vision ? vision::make_apple_face_detector() : vision::make_face_detector(models, face_options);
  return std::make_shared<FaceNetworks>(FaceNetworks{std::move(detector), vision::make_face_embedder(models, face_options)});
}

/// New lines come in bunches, which is when a sample takes longest: they get all threads.
std::shared_ptr<vision::TextEngine> make_text(const vision::ModelRegistry& models, const AnalyzeOptions& options, int threads,
                                              int lines_at_once) {
  if (options.apple_vision) return vision::make_apple_text_engine();
  vision::TextEngineOptions text_options;
  text_options.precision = precision(options);
  text_options.threads = threads;
  text_options.lines_at_once = lines_at_once;
  return vision::make_text_engine(models, text_options);
}

std::function<std::vector<LabelScore>(ImageView)> make_labeller(const StagePlan& plan, const AnalyzeOptions& options) {
  if (plan.models.empty()) return vision::make_apple_labeller();
  const auto classifier = std::make_shared<vision::LabelClassifier>(plan.models.front(), options.threads);
  return [classifier](ImageView picture) { return classifier->classify(picture); };
}

const Keyframe& best_keyframe(const Shot& shot) {
  auto worse = [](const Keyframe& a, const Keyframe& b) { return a.score < b.score; };
  return *std::max_element(shot.keyframes.begin(), shot.keyframes.end(), worse);
}

}  // namespace

std::unique_ptr<vision::ShotDetector> make_shots(const StagePlan& plan, const AnalyzeOptions& options) {
  if (!options.accurate_shots) return vision::make_shot_detector();
  return vision::make_accurate_shot_detector(plan.models.at(0), options.threads);
}

bool is_detector(const std::string& name) {
  return name == stage::kObjects || name == stage::kFaces || name == stage::kOcr;
}

StageOutput run_scenes(const std::vector<Shot>& shots) {
  std::vector<vision::ShotSignature> signatures;
  for (const Shot& shot : shots) signatures.push_back(vision::make_shot_signature(decode_jpeg(best_keyframe(shot).jpeg)));
  return document::encode_scenes(vision::group_scenes(shots, signatures));
}

StageOutput run_labels(const StagePlan& plan, const AnalyzeOptions& options, const std::vector<Shot>& shots) {
  const auto classify = make_labeller(plan, options);
  std::vector<KeyframeLabels> labels;
  for (const Shot& shot : shots)
    for (const Keyframe& keyframe : shot.keyframes)
      labels.push_back({keyframe.pts_us, classify(decode_jpeg(keyframe.jpeg))});
  return document::encode_labels(labels);
}

std::unique_ptr<DetectorStage> make_detector_stage(const StagePlan& plan, const vision::ModelRegistry& models,
                                                   const AnalyzeOptions& options, int side_by_side, KeptNetworks& kept) {
  const int threads = options.threads > 0 ? options.threads : available_threads();
  const int share = std::max(1, threads / std::max(1, side_by_side));
  const std::string key = networks_key(plan, options, share);
  if (plan.name == stage::kObjects)
    return std::make_unique<ObjectsStage>(kept.get<vision::ObjectDetector>(key, [&] { return make_objects(plan, share); }));
  if (plan.name == stage::kFaces) {
    const auto networks = kept.get<FaceNetworks>(key, [&] { return make_faces(models, options, share); });
    return std::make_unique<FacesStage>(networks->detector, networks->embedder);
  }
  if (plan.name == stage::kOcr)
    return std::make_unique<TextStage>(kept.get<vision::TextEngine>(key, [&] { return make_text(models, options, share, threads); }));
  fail(ErrorCode::kInternal, "'", plan.name, "' is no detector");
}

StageOutput run_transcript(const std::filesystem::path& video, const std::optional<TimeRange>& range) {
  std::optional<Transcript> transcript = media::read_transcript(video);
  if (transcript && range)
    std::erase_if(transcript->segments, [&](const TranscriptSegment& segment) {
      return segment.range.end_us <= range->start_us || segment.range.start_us >= range->end_us;
    });
  return document::encode_transcript(transcript);
}

}  // namespace prismvid::pipeline

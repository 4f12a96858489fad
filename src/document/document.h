#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/media_time.h"
#include "core/results.h"

// The analysis document of schema/analysis.schema.json as values. An empty string or vector means
// "not said" where the schema makes a key optional. Times are microseconds here and seconds in
// JSON.
namespace prismvid::document {

using Json = nlohmann::ordered_json;

inline constexpr char kSchema[] = "prismvid.analysis/1";

struct Source {
  std::string kind = "path";  // path, upload, url
  std::string uri;
};

struct Picture {
  std::string codec;
  int width = 0;  // displayed: after rotation and pixel aspect
  int height = 0;
  int rotation = 0;
  Rational sample_aspect{1, 1};
  Rational frame_rate{0, 1};
  bool variable_frame_rate = false;
  Rational time_base{1, 1};
  int64_t start_pts = 0;
  int64_t frames = 0;
};

struct Audio {
  int index = 0;
  std::string codec;
  int channels = 0;
  int sample_rate = 0;
  std::string language;
};

struct Video {
  std::string id;
  std::string sha256;
  std::string name;
  int64_t bytes = 0;
  int64_t duration_us = 0;
  std::string container;
  std::optional<Source> source;
  Picture picture;
  std::vector<Audio> audio;
  std::vector<std::string> tags;
  Json metadata = Json::object();
};

enum class StageStatus {
  kQueued,
  kRunning,
  kDone,
  kCached,
  kSkipped,
  kUnavailable,
  kFailed,
  kCancelled
};

struct StageModel {
  std::string id;
  std::string sha256;
  std::string quantization;
  std::string backend;  // one of the schema's: openvino-cpu, dlib, native, mlx-metal, ...
  std::string device;
};

struct StageError {
  std::string code;
  std::string message;
  bool retryable = false;
};

struct Stage {
  std::string name;  // one of prismvid::stage or of the deep stage's
  StageStatus status = StageStatus::kQueued;
  std::string version;
  std::optional<StageModel> model;
  std::string params_sha256;
  std::string cache_key;
  int64_t wall_ms = 0;
  int64_t frames = 0;  // analysed
  std::optional<double> ms_per_frame_p50;
  std::optional<double> ms_per_frame_p95;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  std::optional<StageError> error;
};

struct Degraded {
  std::string code;
  std::string message;
  std::vector<std::string> missing;
  std::string retry = "manual";
};

struct Warning {
  std::string code;
  std::string message;
};

struct Analysis {
  std::string id;
  std::string status = "running";  // running, complete, partial, failed
  std::string profile = "fast";
  std::vector<std::string> features;  // the stages asked for
  std::string language;
  TimeRange range;
  std::optional<Degraded> degraded;
  std::vector<Warning> warnings;
  std::vector<Stage> stages;
  std::string created_at;  // RFC 3339
  std::string finished_at;
  double wall_seconds = 0;
  double realtime_factor = 0;
};

struct DocumentKeyframe {
  std::string id;
  int64_t t_us = 0;
  int64_t frame = 0;
  float score = 0;
  std::string image;  // "<stage>/<blob>", see locate_picture()
};

struct DocumentShot {
  std::string id;
  TimeRange range;
  int64_t frame_start = 0;
  int64_t frame_end = 0;  // exclusive
  float confidence = 1;
  Transition transition;
  std::string scene;
  std::string framing;
  float motion = 0;
  std::vector<DocumentKeyframe> keyframes;
};

struct Place {
  std::string name;
  float confidence = 0;
};

struct DocumentScene {
  std::string id;
  TimeRange range;
  std::vector<std::string> shots;
  std::string keyframe;
  std::string title;
  std::vector<Place> places;
  std::vector<std::string> people;
};

struct Best {
  int64_t t_us = 0;
  std::optional<Box> box;
  std::string thumb;
};

struct Instance {
  TimeRange range;
  std::optional<float> confidence;
  std::string track;                // the one `best` is from
  std::vector<std::string> tracks;  // all, where there are several
  std::vector<std::string> shots;
  std::optional<Best> best;
};

struct MarkerElement {
  std::string kind;
  std::vector<Instance> instances;
};

struct ObjectElement {
  std::string id;
  std::string label;
  float confidence = 0;
  int64_t seen_us = 0;
  std::vector<Instance> instances;
};

struct Match {
  float score = 0;
  float threshold = 0;
  std::optional<float> margin;
  std::string runner_up;
  std::string source = "auto";  // auto, human
};

struct Person {
  std::string id;
  std::string name;  // empty: not named
  bool hidden = false;
  std::optional<Match> match;
  std::string thumb;
  int64_t seen_us = 0;
  double seen_ratio = 0;
  std::vector<Instance> instances;
};

struct TextInstance {
  TimeRange range;
  Quad quad{};
  float angle_degrees = 0;
  std::string track;
};

struct TextElement {
  std::string id;
  std::string text;
  std::string language;
  float confidence = 0;
  TextRole role = TextRole::kUnknown;
  int observations = 1;
  std::vector<TextInstance> instances;
};

struct LabelElement {
  std::string name;
  std::string taxonomy;
  float confidence = 0;
  std::vector<Instance> instances;
};

struct DocumentSegment {
  std::string id;
  TimeRange range;
  std::string text;
  std::string speaker;
};

struct DocumentTranscript {
  std::string language = "und";
  std::string origin;
  std::vector<DocumentSegment> segments;
};

/// What supports a claim.
struct Evidence {
  TimeRange range;
  std::string shot;
  std::string keyframe;
  std::string of;
};

struct Summary {
  std::string kind = "line";
  std::string language = "en";
  std::string text;
  std::vector<Evidence> evidence;
  Json by = Json::object();
};

struct Embedding {
  std::string space;
  std::string level;
  int dim = 0;
  std::string dtype = "f32";
  std::string metric = "cosine";
  int64_t count = 0;
};

struct Artifact {
  std::string kind;
  std::string href;
  int64_t bytes = 0;
  std::string sha256;
  Json meta = Json::object();
};

struct Edit {
  std::string id;
  std::string op;
  std::string target;
  Json value;
  std::string at;
  std::string user = "local";
};

struct Document {
  Video video;
  Analysis analysis;
  std::vector<DocumentShot> shots;
  std::vector<DocumentScene> scenes;
  std::vector<MarkerElement> markers;
  std::vector<ObjectElement> objects;
  std::vector<Person> people;
  std::vector<TextElement> texts;
  std::vector<LabelElement> labels;
  std::optional<DocumentTranscript> transcript;
  std::vector<Summary> summaries;
  // Written by the deep stage, carried here as they are.
  Json captions = Json::array();
  Json chapters = Json::array();
  Json story;
  Json highlights = Json::array();
  Json moderation = Json::array();
  std::vector<Embedding> embeddings;
  std::vector<Artifact> artifacts;
  std::vector<Edit> edits;
};

/// Where the store keeps a picture that `href` ("shots/keyframe_3.jpg") of this document names.
struct PictureLocation {
  std::string cache_key;
  std::string blob;
};
std::optional<PictureLocation> locate_picture(const Document& document, const std::string& href);

/// The stage of that name, nullptr when the analysis had none.
const Stage* find_stage(const Document& document, const std::string& name);

}  // namespace prismvid::document

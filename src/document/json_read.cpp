#include <charconv>

#include "document/json_fields.h"

namespace prismvid::document {

namespace {

using Text = std::string;

Rational get_fraction(const Json& json, const char* key, char separator, Rational fallback) {
  const auto text = get_or<Text>(json, key, "");
  if (text.empty()) return fallback;
  Rational value;
  const char* end = text.data() + text.size();
  const auto top = std::from_chars(text.data(), end, value.numerator);
  check(top.ec == std::errc() && top.ptr < end && *top.ptr == separator,
        ErrorCode::kInvalidArgument, key, ": '", text, "' is not a fraction such as 24000",
        separator, "1001");
  const auto bottom = std::from_chars(top.ptr + 1, end, value.denominator);
  check(bottom.ec == std::errc() && bottom.ptr == end, ErrorCode::kInvalidArgument, key, ": '",
        text, "' is not a fraction");
  return value;
}

Picture read_picture(const Json& j) {
  return {.codec = get<Text>(j, "codec"),
          .width = get<int>(j, "width"),
          .height = get<int>(j, "height"),
          .rotation = get_or<int>(j, "rotation", 0),
          .sample_aspect = get_fraction(j, "sar", ':', {1, 1}),
          .frame_rate = get_fraction(j, "fps", '/', {0, 1}),
          .variable_frame_rate = get<bool>(j, "vfr"),
          .time_base = get_fraction(j, "time_base", '/', {1, 1}),
          .start_pts = get_or<int64_t>(j, "start_pts", 0),
          .frames = get<int64_t>(j, "frames")};
}

Audio read_audio(const Json& j) {
  return {.index = get<int>(j, "index"),
          .codec = get<Text>(j, "codec"),
          .channels = get_or<int>(j, "channels", 0),
          .sample_rate = get_or<int>(j, "sample_rate", 0),
          .language = get_or<Text>(j, "language", "")};
}

Video read_video(const Json& j) {
  Video v;
  v.id = get<Text>(j, "id");
  v.sha256 = get<Text>(j, "sha256");
  v.name = get<Text>(j, "name");
  v.bytes = get<int64_t>(j, "bytes");
  v.duration_us = get_time(j, "duration");
  v.container = get<Text>(j, "container");
  if (j.contains("source"))
    v.source = Source{get<Text>(j["source"], "kind"), get<Text>(j["source"], "uri")};
  v.picture = within("picture", [&] { return read_picture(at(j, "picture")); });
  v.audio = get_list(j, "audio", read_audio);
  v.tags = get_or<std::vector<Text>>(j, "tags", {});
  v.metadata = j.value("metadata", Json::object());
  return v;
}

Stage read_stage(const Json& j) {
  Stage s;
  s.name = get<Text>(j, "name");
  s.status = get_enum(j, "status", StageStatus::kCancelled);
  s.version = get<Text>(j, "version");
  if (j.contains("model")) {
    const Json& m = j["model"];
    s.model =
        StageModel{get<Text>(m, "id"), get_or<Text>(m, "sha256", ""), get_or<Text>(m, "quant", ""),
                   get_or<Text>(m, "backend", ""), get_or<Text>(m, "device", "")};
  }
  s.params_sha256 = get_or<Text>(j, "params_sha256", "");
  s.cache_key = get<Text>(j, "cache_key");
  s.wall_ms = get_or<int64_t>(j, "wall_ms", 0);
  s.frames = get_or<int64_t>(j, "frames", 0);
  if (j.contains("ms_per_frame")) {
    const Json& spread = j["ms_per_frame"];
    if (spread.contains("p50")) s.ms_per_frame_p50 = get<double>(spread, "p50");
    if (spread.contains("p95")) s.ms_per_frame_p95 = get<double>(spread, "p95");
  }
  s.tokens_in = get_or<int64_t>(j, "tokens_in", 0);
  s.tokens_out = get_or<int64_t>(j, "tokens_out", 0);
  if (j.contains("error") && !j["error"].is_null()) {
    const Json& e = j["error"];
    s.error = StageError{get<Text>(e, "code"), get<Text>(e, "message"), get<bool>(e, "retryable")};
  }
  return s;
}

Analysis read_analysis(const Json& j) {
  Analysis a;
  a.id = get<Text>(j, "id");
  a.status = get<Text>(j, "status");
  a.profile = get<Text>(j, "profile");
  a.features = get<std::vector<Text>>(j, "features");
  a.language = get_or<Text>(j, "language", "");
  a.range = within("range", [&] { return get_range(at(j, "range")); });
  if (j.contains("degraded") && !j["degraded"].is_null()) {
    const Json& d = j["degraded"];
    a.degraded = Degraded{get<Text>(d, "code"), get<Text>(d, "message"),
                          get<std::vector<Text>>(d, "missing"), get<Text>(d, "retry")};
  }
  a.warnings = get_list(j, "warnings", [](const Json& w) {
    return Warning{get<Text>(w, "code"), get<Text>(w, "message")};
  });
  a.stages = get_list(j, "stages", read_stage);
  a.created_at = get<Text>(j, "created_at");
  a.finished_at = get_or<Text>(j, "finished_at", "");
  a.wall_seconds = get_or<double>(j, "wall_seconds", 0);
  a.realtime_factor = get_or<double>(j, "realtime_factor", 0);
  return a;
}

DocumentKeyframe read_keyframe(const Json& j) {
  return {get<Text>(j, "id"), get_time(j, "t"), get<int64_t>(j, "frame"),
          get_or<float>(j, "score", 0), get<Text>(j, "image")};
}

Transition read_transition(const Json& j) {
  Transition t;
  t.kind = get_enum(j, "kind", TransitionKind::kOther);
  if (j.contains("start")) t.range = get_range(j);
  return t;
}

DocumentShot read_shot(const Json& j) {
  DocumentShot s;
  s.id = get<Text>(j, "id");
  s.range = get_range(j);
  s.frame_start = get<int64_t>(j, "frame_start");
  s.frame_end = get<int64_t>(j, "frame_end");
  s.confidence = get_or<float>(j, "confidence", 1);
  s.transition = within("transition", [&] { return read_transition(at(j, "transition")); });
  s.scene = get_or<Text>(j, "scene", "");
  s.framing = get_or<Text>(j, "framing", "");
  s.motion = get_or<float>(j, "motion", 0);
  s.keyframes = get_list(j, "keyframes", read_keyframe);
  return s;
}

DocumentScene read_scene(const Json& j) {
  DocumentScene s;
  s.id = get<Text>(j, "id");
  s.range = get_range(j);
  s.shots = get<std::vector<Text>>(j, "shots");
  s.keyframe = get_or<Text>(j, "keyframe", "");
  s.title = get_or<Text>(j, "title", "");
  s.places = get_list(j, "places", [](const Json& p) {
    return Place{get<Text>(p, "name"), get<float>(p, "confidence")};
  });
  s.people = get_or<std::vector<Text>>(j, "people", {});
  return s;
}

Best read_best(const Json& j) {
  Best best;
  best.t_us = get_time(j, "t");
  if (j.contains("box")) best.box = within("box", [&] { return get_box(j["box"]); });
  best.thumb = get_or<Text>(j, "thumb", "");
  return best;
}

Instance read_instance(const Json& j) {
  Instance i;
  i.range = get_range(j);
  if (j.contains("confidence")) i.confidence = get<float>(j, "confidence");
  i.track = get_or<Text>(j, "track", "");
  i.tracks = get_or<std::vector<Text>>(j, "tracks", {});
  i.shots = get_or<std::vector<Text>>(j, "shots", {});
  if (j.contains("best")) i.best = within("best", [&] { return read_best(j["best"]); });
  return i;
}

MarkerElement read_marker(const Json& j) {
  return {get<Text>(j, "kind"), get_list(j, "instances", read_instance)};
}

ObjectElement read_object(const Json& j) {
  return {get<Text>(j, "id"), get<Text>(j, "label"), get<float>(j, "confidence"),
          get_time(j, "seen_seconds"), get_list(j, "instances", read_instance)};
}

Match read_match(const Json& j) {
  Match m;
  m.score = get<float>(j, "score");
  m.threshold = get<float>(j, "threshold");
  if (j.contains("margin")) m.margin = get<float>(j, "margin");
  m.runner_up = get_or<Text>(j, "runner_up", "");
  m.source = get_or<Text>(j, "source", "");
  return m;
}

Person read_person(const Json& j) {
  Person p;
  p.id = get<Text>(j, "id");
  p.name = get_or<Text>(j, "name", "");
  p.hidden = get<Text>(j, "status") == "hidden";
  if (j.contains("match")) p.match = within("match", [&] { return read_match(j["match"]); });
  p.thumb = get_or<Text>(j, "thumb", "");
  p.seen_us = get_time(j, "seen_seconds");
  p.seen_ratio = get_or<double>(j, "seen_ratio", 0);
  p.instances = get_list(j, "instances", read_instance);
  return p;
}

TextInstance read_text_instance(const Json& j) {
  return {get_range(j), within("quad", [&] { return get_quad(at(j, "quad")); }),
          get_or<float>(j, "angle", 0), get_or<Text>(j, "track", "")};
}

TextElement read_text(const Json& j) {
  TextElement t;
  t.id = get<Text>(j, "id");
  t.text = get<Text>(j, "text");
  t.language = get_or<Text>(j, "language", "");
  t.confidence = get<float>(j, "confidence");
  t.role = get_enum(j, "role", TextRole::kUnknown);
  t.observations = get_or<int>(j, "observations", 1);
  t.instances = get_list(j, "instances", read_text_instance);
  return t;
}

LabelElement read_label(const Json& j) {
  return {get<Text>(j, "name"), get_or<Text>(j, "taxonomy", ""), get<float>(j, "confidence"),
          get_list(j, "instances", read_instance)};
}

DocumentTranscript read_transcript(const Json& j) {
  return {get<Text>(j, "language"), get_or<Text>(j, "origin", ""),
          get_list(j, "segments", [](const Json& s) {
            return DocumentSegment{get<Text>(s, "id"), get_range(s), get<Text>(s, "text"),
                                   get_or<Text>(s, "speaker", "")};
          })};
}

Evidence read_evidence(const Json& j) {
  return {get_range(j), get_or<Text>(j, "shot", ""), get_or<Text>(j, "keyframe", ""),
          get_or<Text>(j, "of", "")};
}

Embedding read_embedding(const Json& j) {
  return {get<Text>(j, "space"),           get<Text>(j, "level"),  get<int>(j, "dim"),
          get_or<Text>(j, "dtype", "f32"), get<Text>(j, "metric"), get<int64_t>(j, "count")};
}

Artifact read_artifact(const Json& j) {
  return {get<Text>(j, "kind"), get<Text>(j, "href"), get_or<int64_t>(j, "bytes", 0),
          get_or<Text>(j, "sha256", ""), j.value("meta", Json::object())};
}

Edit read_edit(const Json& j) {
  return {get<Text>(j, "id"),       get<Text>(j, "op"), get<Text>(j, "target"),
          j.value("value", Json()), get<Text>(j, "at"), get<Text>(j, "user")};
}

}  // namespace

Summary read_summary(const Json& j) {
  return {get<Text>(j, "kind"), get<Text>(j, "language"), get<Text>(j, "text"),
          get_list(j, "evidence", read_evidence), at(j, "by")};
}

Document from_json(const Json& j) {
  const auto schema = get<Text>(j, "schema");
  check(schema == kSchema, ErrorCode::kInvalidArgument, "this document is of schema '", schema,
        "'; this PrismVid reads ", kSchema);
  Document d;
  d.video = within("video", [&] { return read_video(at(j, "video")); });
  d.analysis = within("analysis", [&] { return read_analysis(at(j, "analysis")); });
  d.shots = get_list(j, "shots", read_shot);
  d.scenes = get_list(j, "scenes", read_scene);
  d.markers = get_list(j, "markers", read_marker);
  d.objects = get_list(j, "objects", read_object);
  d.people = get_list(j, "people", read_person);
  d.texts = get_list(j, "texts", read_text);
  d.labels = get_list(j, "labels", read_label);
  if (j.contains("transcript") && !j["transcript"].is_null())
    d.transcript = within("transcript", [&] { return read_transcript(j["transcript"]); });
  d.summaries = get_list(j, "summaries", read_summary);
  d.captions = j.value("captions", Json::array());
  d.chapters = j.value("chapters", Json::array());
  d.story = j.value("story", Json());
  d.highlights = j.value("highlights", Json::array());
  d.moderation = j.value("moderation", Json::array());
  d.embeddings = get_list(j, "embeddings", read_embedding);
  d.artifacts = get_list(j, "artifacts", read_artifact);
  d.edits = get_list(j, "edits", read_edit);
  return d;
}

Document parse_document(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  check(!json.is_discarded(), ErrorCode::kInvalidArgument, "the document is not JSON");
  check(json.is_object(), ErrorCode::kInvalidArgument, "the document is not a JSON object");
  return from_json(json);
}

std::optional<PictureLocation> locate_picture(const Document& document, const std::string& href) {
  const size_t slash = href.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const Stage* stage = find_stage(document, href.substr(0, slash));
  if (!stage) return std::nullopt;
  return PictureLocation{stage->cache_key, href.substr(slash + 1)};
}

const Stage* find_stage(const Document& document, const std::string& name) {
  for (const Stage& stage : document.analysis.stages)
    if (stage.name == name) return &stage;
  return nullptr;
}

}  // namespace prismvid::document

#include "document/json_fields.h"

namespace prismvid::document {

namespace {

std::string fraction(const Rational& value, char separator = '/') {
  return std::to_string(value.numerator) + separator + std::to_string(value.denominator);
}

Json write_picture(const Picture& p) {
  return {{"codec", p.codec},
          {"width", p.width},
          {"height", p.height},
          {"rotation", p.rotation},
          {"sar", fraction(p.sample_aspect, ':')},
          {"fps", fraction(p.frame_rate)},
          {"vfr", p.variable_frame_rate},
          {"time_base", fraction(p.time_base)},
          {"start_pts", p.start_pts},
          {"frames", p.frames}};
}

Json write_audio(const Audio& a) {
  Json json = {{"index", a.index},
               {"codec", a.codec},
               {"channels", a.channels},
               {"sample_rate", a.sample_rate}};
  put_if_said(json, "language", a.language);
  return json;
}

Json write_video(const Video& v) {
  Json json = {{"id", v.id},
               {"sha256", v.sha256},
               {"name", v.name},
               {"bytes", v.bytes},
               {"duration", seconds(v.duration_us)},
               {"container", v.container}};
  if (v.source) json["source"] = {{"kind", v.source->kind}, {"uri", v.source->uri}};
  json["picture"] = write_picture(v.picture);
  json["audio"] = json_list(v.audio, write_audio);
  json["tags"] = v.tags;
  if (!v.metadata.empty()) json["metadata"] = v.metadata;
  return json;
}

Json write_model(const StageModel& m) {
  Json json = {{"id", m.id}};
  put_if_said(json, "sha256", m.sha256);
  put_if_said(json, "quant", m.quantization);
  put_if_said(json, "backend", m.backend);
  put_if_said(json, "device", m.device);
  return json;
}

Json write_stage(const Stage& s) {
  Json json = {{"name", s.name}, {"status", to_string(s.status)}, {"version", s.version}};
  if (s.model) json["model"] = write_model(*s.model);
  put_if_said(json, "params_sha256", s.params_sha256);
  json["cache_key"] = s.cache_key;
  json["wall_ms"] = s.wall_ms;
  json["frames"] = s.frames;
  if (s.ms_per_frame_p50 || s.ms_per_frame_p95) {
    Json& spread = json["ms_per_frame"] = Json::object();
    if (s.ms_per_frame_p50) spread["p50"] = rounded(*s.ms_per_frame_p50, 3);
    if (s.ms_per_frame_p95) spread["p95"] = rounded(*s.ms_per_frame_p95, 3);
  }
  if (s.tokens_in > 0) json["tokens_in"] = s.tokens_in;
  if (s.tokens_out > 0) json["tokens_out"] = s.tokens_out;
  json["error"] = nullptr;
  if (s.error) {
    json["error"] = {
        {"code", s.error->code}, {"message", s.error->message}, {"retryable", s.error->retryable}};
  }
  return json;
}

Json write_analysis(const Analysis& a) {
  Json json = {
      {"id", a.id}, {"status", a.status}, {"profile", a.profile}, {"features", a.features}};
  put_if_said(json, "language", a.language);
  json["range"] = json_range(a.range);
  json["degraded"] = nullptr;
  if (a.degraded) {
    json["degraded"] = {{"code", a.degraded->code},
                        {"message", a.degraded->message},
                        {"missing", a.degraded->missing},
                        {"retry", a.degraded->retry}};
  }
  if (!a.warnings.empty()) {
    json["warnings"] = json_list(a.warnings, [](const Warning& w) {
      return Json{{"code", w.code}, {"message", w.message}};
    });
  }
  json["stages"] = json_list(a.stages, write_stage);
  json["created_at"] = a.created_at;
  put_if_said(json, "finished_at", a.finished_at);
  json["wall_seconds"] = rounded(a.wall_seconds, 3);
  json["realtime_factor"] = rounded(a.realtime_factor, 2);
  return json;
}

Json write_keyframe(const DocumentKeyframe& k) {
  return {{"id", k.id},
          {"t", seconds(k.t_us)},
          {"frame", k.frame},
          {"score", json_confidence(k.score)},
          {"image", k.image}};
}

Json write_shot(const DocumentShot& s) {
  Json json = {{"id", s.id}};
  json.update(json_range(s.range));
  json["frame_start"] = s.frame_start;
  json["frame_end"] = s.frame_end;
  json["confidence"] = json_confidence(s.confidence);
  json["transition"] = {{"kind", to_string(s.transition.kind)}};
  if (s.transition.range) json["transition"].update(json_range(*s.transition.range));
  put_if_said(json, "scene", s.scene);
  put_if_said(json, "framing", s.framing);
  json["motion"] = json_confidence(s.motion);
  json["keyframes"] = json_list(s.keyframes, write_keyframe);
  return json;
}

Json write_scene(const DocumentScene& s) {
  Json json = {{"id", s.id}};
  json.update(json_range(s.range));
  json["shots"] = s.shots;
  put_if_said(json, "keyframe", s.keyframe);
  put_if_said(json, "title", s.title);
  if (!s.places.empty()) {
    json["places"] = json_list(s.places, [](const Place& p) {
      return Json{{"name", p.name}, {"confidence", json_confidence(p.confidence)}};
    });
  }
  put_if_said(json, "people", s.people);
  return json;
}

Json write_instance(const Instance& i) {
  Json json = json_range(i.range);
  if (i.confidence) json["confidence"] = json_confidence(*i.confidence);
  put_if_said(json, "track", i.track);
  put_if_said(json, "tracks", i.tracks);
  put_if_said(json, "shots", i.shots);
  if (i.best) {
    Json& best = json["best"] = {{"t", seconds(i.best->t_us)}};
    if (i.best->box) best["box"] = json_box(*i.best->box);
    put_if_said(best, "thumb", i.best->thumb);
  }
  return json;
}

Json write_object(const ObjectElement& o) {
  return {{"id", o.id},
          {"label", o.label},
          {"confidence", json_confidence(o.confidence)},
          {"seen_seconds", seconds(o.seen_us)},
          {"instances", json_list(o.instances, write_instance)}};
}

Json write_match(const Match& m) {
  Json json = {{"score", json_confidence(m.score)}, {"threshold", json_confidence(m.threshold)}};
  if (m.margin) json["margin"] = json_confidence(*m.margin);
  put_if_said(json, "runner_up", m.runner_up);
  put_if_said(json, "source", m.source);
  return json;
}

Json write_person(const Person& p) {
  Json json = {{"id", p.id}, {"name", nullptr}};
  if (!p.name.empty()) json["name"] = p.name;
  json["status"] = p.hidden ? "hidden" : p.name.empty() ? "unknown" : "named";
  if (p.match) json["match"] = write_match(*p.match);
  put_if_said(json, "thumb", p.thumb);
  json["seen_seconds"] = seconds(p.seen_us);
  json["seen_ratio"] = rounded(p.seen_ratio, kConfidenceDecimals);
  json["instances"] = json_list(p.instances, write_instance);
  return json;
}

Json write_text_instance(const TextInstance& i) {
  Json json = json_range(i.range);
  json["quad"] = json_quad(i.quad);
  json["angle"] = rounded(i.angle_degrees, 2);
  put_if_said(json, "track", i.track);
  return json;
}

Json write_text(const TextElement& t) {
  Json json = {{"id", t.id}, {"text", t.text}};
  put_if_said(json, "language", t.language);
  json["confidence"] = json_confidence(t.confidence);
  json["role"] = to_string(t.role);
  json["observations"] = t.observations;
  json["instances"] = json_list(t.instances, write_text_instance);
  return json;
}

Json write_label(const LabelElement& l) {
  Json json = {{"name", l.name}};
  put_if_said(json, "taxonomy", l.taxonomy);
  json["confidence"] = json_confidence(l.confidence);
  json["instances"] = json_list(l.instances, write_instance);
  return json;
}

Json write_marker(const MarkerElement& m) {
  return {{"kind", m.kind}, {"instances", json_list(m.instances, write_instance)}};
}

Json write_segment(const DocumentSegment& s) {
  Json json = {{"id", s.id}};
  json.update(json_range(s.range));
  json["text"] = s.text;
  put_if_said(json, "speaker", s.speaker);
  return json;
}

Json write_transcript(const DocumentTranscript& t) {
  Json json = {{"language", t.language}};
  put_if_said(json, "origin", t.origin);
  json["segments"] = json_list(t.segments, write_segment);
  return json;
}

Json write_evidence(const Evidence& e) {
  Json json = json_range(e.range);
  put_if_said(json, "shot", e.shot);
  put_if_said(json, "keyframe", e.keyframe);
  put_if_said(json, "of", e.of);
  return json;
}

Json write_summary(const Summary& s) {
  return {{"kind", s.kind},
          {"language", s.language},
          {"text", s.text},
          {"evidence", json_list(s.evidence, write_evidence)},
          {"by", s.by}};
}

Json write_embedding(const Embedding& e) {
  return {{"space", e.space}, {"level", e.level},   {"dim", e.dim},
          {"dtype", e.dtype}, {"metric", e.metric}, {"count", e.count}};
}

Json write_artifact(const Artifact& a) {
  Json json = {{"kind", a.kind}, {"href", a.href}};
  if (a.bytes > 0) json["bytes"] = a.bytes;
  put_if_said(json, "sha256", a.sha256);
  if (!a.meta.empty()) json["meta"] = a.meta;
  return json;
}

Json write_edit(const Edit& e) {
  return {{"id", e.id},       {"op", e.op}, {"target", e.target},
          {"value", e.value}, {"at", e.at}, {"user", e.user}};
}

}  // namespace

Json to_json(const Document& d) {
  Json json = {{"schema", kSchema}};
  json["video"] = write_video(d.video);
  json["analysis"] = write_analysis(d.analysis);
  json["shots"] = json_list(d.shots, write_shot);
  json["scenes"] = json_list(d.scenes, write_scene);
  json["markers"] = json_list(d.markers, write_marker);
  json["objects"] = json_list(d.objects, write_object);
  json["people"] = json_list(d.people, write_person);
  json["texts"] = json_list(d.texts, write_text);
  json["labels"] = json_list(d.labels, write_label);
  json["transcript"] = nullptr;
  if (d.transcript) json["transcript"] = write_transcript(*d.transcript);
  json["captions"] = d.captions;
  json["chapters"] = d.chapters;
  json["summaries"] = json_list(d.summaries, write_summary);
  json["story"] = d.story;
  json["highlights"] = d.highlights;
  json["moderation"] = d.moderation;
  json["embeddings"] = json_list(d.embeddings, write_embedding);
  json["artifacts"] = json_list(d.artifacts, write_artifact);
  json["edits"] = json_list(d.edits, write_edit);
  return json;
}

}  // namespace prismvid::document

#include "document/stage_values.h"

#include <bit>
#include <cstring>

#include "document/json_fields.h"

namespace prismvid::document {

namespace {

static_assert(std::endian::native == std::endian::little, "vectors are stored little-endian");

std::string format_name(const char* name) {
  return std::string("prismvid.stage.") + name + "/1";
}

std::string stage_text(const char* name, Json json) {
  Json whole = {{"format", format_name(name)}};
  whole.update(json);
  return to_text(whole);
}

/// Parses, checks the format and runs `read`; every fault becomes one Error(kStore).
template <typename Read>
auto read_stage_text(const char* name, const StageOutput& output, Read read) {
  try {
    const Json json = Json::parse(output.json);
    const auto format = get<std::string>(json, "format");
    check(format == format_name(name), ErrorCode::kInvalidArgument, "format '", format, "' where ",
          format_name(name), " was expected");
    return read(json);
  } catch (const std::exception& error) {
    fail(ErrorCode::kStore, "the stored result of stage '", name,
         "' cannot be read: ", error.what());
  }
}

/// Blobs by name, each handed out once.
class BlobReader {
 public:
  explicit BlobReader(const StageOutput& output) {
    for (const Blob& blob : output.blobs) blobs_[blob.name] = &blob.bytes;
  }
  std::vector<uint8_t> operator()(const std::string& name) const {
    const auto found = blobs_.find(name);
    return found == blobs_.end() ? std::vector<uint8_t>{} : *found->second;
  }

 private:
  std::map<std::string, const std::vector<uint8_t>*> blobs_;
};

void put_blob(StageOutput& output, std::string name, const std::vector<uint8_t>& bytes) {
  if (!bytes.empty()) output.blobs.push_back({std::move(name), bytes});
}

std::vector<uint8_t> vector_bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<float> vector_values(const std::vector<uint8_t>& bytes) {
  check(bytes.size() % sizeof(float) == 0, ErrorCode::kInvalidArgument, "a vector of ",
        bytes.size(), " bytes");
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Json write_times(const TimeRange& range) {
  return {range.start_us, range.end_us};
}

TimeRange read_times(const Json& json, const char* key) {
  return within(key, [&] {
    const Json& times = at(json, key);
    check(times.is_array() && times.size() == 2, ErrorCode::kInvalidArgument, "must be two times");
    return TimeRange{times[0].get<int64_t>(), times[1].get<int64_t>()};
  });
}

Json write_points(const std::vector<TrackPoint>& points) {
  return json_list(points, [](const TrackPoint& p) {
    Json point = {p.pts_us};
    for (const Json& v : json_box(p.box)) point.push_back(v);
    point.push_back(json_confidence(p.score));
    return point;
  });
}

std::vector<TrackPoint> read_points(const Json& json) {
  return get_list(json, "points", [](const Json& p) {
    check(p.is_array() && p.size() == 6, ErrorCode::kInvalidArgument, "a point has 6 numbers");
    return TrackPoint{p[0].get<int64_t>(),
                      {p[1].get<float>(), p[2].get<float>(), p[3].get<float>(), p[4].get<float>()},
                      p[5].get<float>()};
  });
}

size_t read_best_point(const Json& json, const std::vector<TrackPoint>& points) {
  const auto best = get<size_t>(json, "best");
  check(points.empty() ? best == 0 : best < points.size(), ErrorCode::kInvalidArgument,
        "the best point is number ", best, " of ", points.size());
  return best;
}

Json write_shot(const Shot& s) {
  Json json = {{"range", write_times(s.range)},
               {"frames", {s.frame_start, s.frame_end}},
               {"confidence", json_confidence(s.confidence)},
               {"motion", json_confidence(s.motion)},
               {"transition", to_string(s.transition.kind)}};
  if (s.transition.range) json["transition_range"] = write_times(*s.transition.range);
  json["keyframes"] = json_list(s.keyframes, [](const Keyframe& k) {
    return Json{{"pts_us", k.pts_us}, {"frame", k.frame}, {"score", json_confidence(k.score)}};
  });
  return json;
}

Shot read_shot(const Json& json) {
  Shot s;
  s.range = read_times(json, "range");
  const TimeRange frames = read_times(json, "frames");
  s.frame_start = frames.start_us;
  s.frame_end = frames.end_us;
  s.confidence = get<float>(json, "confidence");
  s.motion = get<float>(json, "motion");
  s.transition.kind = get_enum(json, "transition", TransitionKind::kOther);
  if (json.contains("transition_range")) s.transition.range = read_times(json, "transition_range");
  s.keyframes = get_list(json, "keyframes", [](const Json& k) {
    return Keyframe{
        get<int64_t>(k, "pts_us"), get<int64_t>(k, "frame"), get<float>(k, "score"), {}};
  });
  return s;
}

}  // namespace

StageOutput encode_shots(const ShotsValue& value) {
  StageOutput output;
  output.json = stage_text(
      stage::kShots, {{"shots", json_list(value.shots, write_shot)},
                      {"markers", json_list(value.markers, [](const Marker& m) {
                         return Json{{"kind", to_string(m.kind)}, {"range", write_times(m.range)}};
                       })}});
  size_t count = 0;
  for (const Shot& shot : value.shots)
    for (const Keyframe& keyframe : shot.keyframes)
      put_blob(output, keyframe_blob(count++), keyframe.jpeg);
  return output;
}

ShotsValue decode_shots(const StageOutput& output) {
  ShotsValue value = read_stage_text(stage::kShots, output, [](const Json& json) {
    return ShotsValue{
        get_list(json, "shots", read_shot), get_list(json, "markers", [](const Json& m) {
          return Marker{get_enum(m, "kind", MarkerKind::kFreeze), read_times(m, "range")};
        })};
  });
  const BlobReader blob(output);
  size_t count = 0;
  for (Shot& shot : value.shots)
    for (Keyframe& keyframe : shot.keyframes) keyframe.jpeg = blob(keyframe_blob(count++));
  return value;
}

StageOutput encode_scenes(const std::vector<Scene>& scenes) {
  return {stage_text(stage::kScenes, {{"scenes", json_list(scenes,
                                                           [](const Scene& s) {
                                                             return Json{s.first_shot, s.last_shot};
                                                           })}}),
          {}};
}

std::vector<Scene> decode_scenes(const StageOutput& output) {
  return read_stage_text(stage::kScenes, output, [](const Json& json) {
    return get_list(json, "scenes", [](const Json& s) {
      check(s.is_array() && s.size() == 2, ErrorCode::kInvalidArgument, "a scene is two shots");
      return Scene{s[0].get<int>(), s[1].get<int>()};
    });
  });
}

StageOutput encode_objects(const std::vector<ObjectTrack>& tracks) {
  StageOutput output;
  output.json =
      stage_text(stage::kObjects, {{"tracks", json_list(tracks, [](const ObjectTrack& t) {
                                      return Json{{"label", t.label},
                                                  {"confidence", json_confidence(t.confidence)},
                                                  {"range", write_times(t.range)},
                                                  {"best", t.best},
                                                  {"points", write_points(t.points)}};
                                    })}});
  for (size_t i = 0; i < tracks.size(); ++i)
    put_blob(output, thumbnail_blob(i), tracks[i].thumbnail_jpeg);
  return output;
}

std::vector<ObjectTrack> decode_objects(const StageOutput& output) {
  auto tracks = read_stage_text(stage::kObjects, output, [](const Json& json) {
    return get_list(json, "tracks", [](const Json& t) {
      ObjectTrack track;
      track.label = get<std::string>(t, "label");
      track.confidence = get<float>(t, "confidence");
      track.range = read_times(t, "range");
      track.points = read_points(t);
      track.best = read_best_point(t, track.points);
      return track;
    });
  });
  const BlobReader blob(output);
  for (size_t i = 0; i < tracks.size(); ++i) tracks[i].thumbnail_jpeg = blob(thumbnail_blob(i));
  return tracks;
}

StageOutput encode_faces(const std::vector<FaceTrack>& tracks) {
  StageOutput output;
  output.json = stage_text(stage::kFaces, {{"tracks", json_list(tracks, [](const FaceTrack& t) {
                                              return Json{{"range", write_times(t.range)},
                                                          {"quality", json_confidence(t.quality)},
                                                          {"best", t.best},
                                                          {"points", write_points(t.points)}};
                                            })}});
  for (size_t i = 0; i < tracks.size(); ++i) {
    put_blob(output, thumbnail_blob(i), tracks[i].thumbnail_jpeg);
    put_blob(output, vector_blob(i), vector_bytes(tracks[i].embedding));
  }
  return output;
}

std::vector<FaceTrack> decode_faces(const StageOutput& output) {
  const BlobReader blob(output);
  return read_stage_text(stage::kFaces, output, [&](const Json& json) {
    auto tracks = get_list(json, "tracks", [](const Json& t) {
      FaceTrack track;
      track.range = read_times(t, "range");
      track.quality = get<float>(t, "quality");
      track.points = read_points(t);
      track.best = read_best_point(t, track.points);
      return track;
    });
    for (size_t i = 0; i < tracks.size(); ++i) {
      tracks[i].thumbnail_jpeg = blob(thumbnail_blob(i));
      tracks[i].embedding = vector_values(blob(vector_blob(i)));
    }
    return tracks;
  });
}

StageOutput encode_texts(const std::vector<TextTrack>& tracks) {
  return {stage_text(stage::kOcr,
                     {{"tracks", json_list(tracks,
                                           [](const TextTrack& t) {
                                             return Json{
                                                 {"text", t.text},
                                                 {"language", t.language},
                                                 {"confidence", json_confidence(t.confidence)},
                                                 {"role", to_string(t.role)},
                                                 {"range", write_times(t.range)},
                                                 {"quad", json_quad(t.quad)},
                                                 {"angle", rounded(t.angle_degrees, 2)},
                                                 {"observations", t.observations}};
                                           })}}),
          {}};
}

std::vector<TextTrack> decode_texts(const StageOutput& output) {
  return read_stage_text(stage::kOcr, output, [](const Json& json) {
    return get_list(json, "tracks", [](const Json& t) {
      TextTrack track;
      track.text = get<std::string>(t, "text");
      track.language = get<std::string>(t, "language");
      track.confidence = get<float>(t, "confidence");
      track.role = get_enum(t, "role", TextRole::kUnknown);
      track.range = read_times(t, "range");
      track.quad = get_quad(at(t, "quad"));
      track.angle_degrees = get<float>(t, "angle");
      track.observations = get<int>(t, "observations");
      return track;
    });
  });
}

StageOutput encode_labels(const std::vector<KeyframeLabels>& labels) {
  auto write_scores = [](const KeyframeLabels& k) {
    return Json{{"pts_us", k.pts_us}, {"labels", json_list(k.labels, [](const LabelScore& l) {
                                         return Json{l.name, json_confidence(l.confidence)};
                                       })}};
  };
  return {stage_text(stage::kLabels, {{"keyframes", json_list(labels, write_scores)}}), {}};
}

std::vector<KeyframeLabels> decode_labels(const StageOutput& output) {
  return read_stage_text(stage::kLabels, output, [](const Json& json) {
    return get_list(json, "keyframes", [](const Json& k) {
      return KeyframeLabels{get<int64_t>(k, "pts_us"), get_list(k, "labels", [](const Json& l) {
                              check(l.is_array() && l.size() == 2, ErrorCode::kInvalidArgument,
                                    "a label is a name and a number");
                              return LabelScore{l[0].get<std::string>(), l[1].get<float>()};
                            })};
    });
  });
}

StageOutput encode_transcript(const std::optional<Transcript>& transcript) {
  Json json = {{"transcript", nullptr}};
  if (transcript) {
    json["transcript"] = {
        {"language", transcript->language},
        {"origin", to_string(transcript->origin)},
        {"segments", json_list(transcript->segments, [](const auto& s) {
           return Json{{"range", write_times(s.range)}, {"text", s.text}, {"speaker", s.speaker}};
         })}};
  }
  return {stage_text(stage::kTranscript, json), {}};
}

std::optional<Transcript> decode_transcript(const StageOutput& output) {
  return read_stage_text(
      stage::kTranscript, output, [](const Json& json) -> std::optional<Transcript> {
        const Json& t = at(json, "transcript");
        if (t.is_null()) return std::nullopt;
        return Transcript{
            get<std::string>(t, "language"), get_enum(t, "origin", TranscriptOrigin::kSidecar),
            get_list(t, "segments", [](const Json& s) {
              return TranscriptSegment{read_times(s, "range"), get<std::string>(s, "text"),
                                       get<std::string>(s, "speaker")};
            })};
      });
}

}  // namespace prismvid::document

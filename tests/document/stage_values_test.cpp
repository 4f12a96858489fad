#include "document/stage_values.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "document/tracks.h"
#include "sample.h"

namespace prismvid::document {
namespace {

TEST(StageValues, ShotsKeepTimesFramesAndPictures) {
  const BuildInput in = sample_input();
  const auto back = decode_shots(encode_shots({in.shots, in.markers}));
  ASSERT_EQ(back.shots.size(), 3u);
  EXPECT_EQ(back.shots[1].range, in.shots[1].range);
  EXPECT_EQ(back.shots[1].frame_end, 240);
  EXPECT_EQ(back.shots[1].transition.kind, TransitionKind::kDissolve);
  EXPECT_EQ(back.shots[1].transition.range, in.shots[1].transition.range);
  EXPECT_FALSE(back.shots[2].transition.range);
  ASSERT_EQ(back.shots[1].keyframes.size(), 2u);
  EXPECT_EQ(back.shots[1].keyframes[1].jpeg, in.shots[1].keyframes[1].jpeg);
  EXPECT_EQ(back.shots[2].keyframes[0].jpeg, in.shots[2].keyframes[0].jpeg);
  ASSERT_EQ(back.markers.size(), 1u);
  EXPECT_EQ(back.markers[0].range, in.markers[0].range);
}

TEST(StageValues, EncodingIsStable) {
  const BuildInput in = sample_input();
  const StageOutput once = encode_shots({in.shots, in.markers});
  EXPECT_EQ(encode_shots(decode_shots(once)).json, once.json);
  const StageOutput faces = encode_faces(in.faces);
  EXPECT_EQ(encode_faces(decode_faces(faces)).json, faces.json);
  EXPECT_EQ(encode_texts(in.texts).json, encode_texts(decode_texts(encode_texts(in.texts))).json);
}

TEST(StageValues, FaceVectorsKeepEveryBitAndStayOutOfTheJson) {
  auto faces = sample_input().faces;
  faces[0].embedding = {0.1f, -1e-30f, 3.14159274f, 1.0f / 3};
  const StageOutput output = encode_faces(faces);
  EXPECT_EQ(decode_faces(output)[0].embedding, faces[0].embedding);
  EXPECT_EQ(output.json.find("0.333"), std::string::npos);
  ASSERT_EQ(output.blobs.size(), 2u);
}

TEST(StageValues, AForgottenFaceComesBackWithoutVectorAndPicture) {
  StageOutput output = encode_faces(sample_input().faces);
  output.blobs.clear();
  const auto faces = decode_faces(output);
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_TRUE(faces[0].embedding.empty());
  EXPECT_TRUE(faces[0].thumbnail_jpeg.empty());
}

TEST(StageValues, ObjectsTextsLabelsScenesAndTranscriptComeBack) {
  const BuildInput in = sample_input();
  const auto objects = decode_objects(encode_objects(in.objects));
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0].label, "cup");
  EXPECT_EQ(objects[0].points[1].pts_us, 1'500'000);
  EXPECT_NEAR(objects[0].points[1].box.x1, 0.31f, 1e-5);
  EXPECT_EQ(objects[0].thumbnail_jpeg, in.objects[0].thumbnail_jpeg);
  const auto texts = decode_texts(encode_texts(in.texts));
  EXPECT_EQ(texts[1].text, "你好，世界");
  EXPECT_EQ(texts[1].role, TextRole::kSubtitle);
  const auto labels = decode_labels(encode_labels({{5, {{"suit", 0.5f}, {"tie", 0.25f}}}}));
  EXPECT_EQ(labels[0].pts_us, 5);
  EXPECT_EQ(labels[0].labels[1].name, "tie");
  EXPECT_EQ(decode_scenes(encode_scenes(in.scenes))[0].last_shot, 1);
  const Transcript transcript{"de", TranscriptOrigin::kSidecar, {{{1, 2}, "Grüße", ""}}};
  EXPECT_EQ(decode_transcript(encode_transcript(transcript))->segments[0].text, "Grüße");
  EXPECT_FALSE(decode_transcript(encode_transcript(std::nullopt)));
}

TEST(StageValues, DamageIsAnErrorOfTheStore) {
  auto code_of = [](const std::string& json) {
    try {
      decode_faces({json, {}});
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  for (
      const char* json :
      {"", "[]", "{}", R"({"format":"prismvid.stage.shots/1"})",
       R"({"format":"prismvid.stage.faces/2","tracks":[]})",
       R"({"format":"prismvid.stage.faces/1","tracks":[{}]})",
       R"({"format":"prismvid.stage.faces/1","tracks":3})",
       R"({"format":"prismvid.stage.faces/1","tracks":[{"range":[0,1],"quality":1,"best":1,"points":[]}]})"})
    EXPECT_EQ(code_of(json), ErrorCode::kStore) << json;
}

TEST(Tracks, ComeBackWithinTheLastBit) {
  const auto tracks = make_tracks(sample_input());
  ASSERT_EQ(tracks.size(), 6u);
  const auto bytes = encode_tracks(tracks);
  const auto back = decode_tracks(bytes);
  ASSERT_EQ(back.size(), tracks.size());
  for (size_t i = 0; i < tracks.size(); ++i) {
    EXPECT_EQ(back[i].id, tracks[i].id);
    EXPECT_EQ(back[i].label, tracks[i].label);
    ASSERT_EQ(back[i].points.size(), tracks[i].points.size());
    for (size_t p = 0; p < tracks[i].points.size(); ++p) {
      EXPECT_EQ(back[i].points[p].pts_us, tracks[i].points[p].pts_us);
      EXPECT_NEAR(back[i].points[p].box.x0, tracks[i].points[p].box.x0, 1.0 / 65535);
    }
  }
}

TEST(Tracks, AnyCutIsRefused) {
  const auto bytes = encode_tracks(make_tracks(sample_input()));
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_THROW(decode_tracks(std::span(bytes).first(size)), Error) << size;
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_THROW(decode_tracks(longer), Error);
}

}  // namespace
}  // namespace prismvid::document

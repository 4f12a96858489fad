#pragma once

#include <string>

#include "core/jpeg.h"
#include "core/stage_output.h"
#include "document/build.h"

namespace prismvid::document {

/// A plain coloured picture with a lighter circle, as JPEG.
inline std::vector<uint8_t> picture_of(int width, int height, int red, int green, int blue) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int dx = x - width / 2, dy = y - height / 2;
      const int light = dx * dx + dy * dy < height * height / 9 ? 60 : y * 40 / height;
      uint8_t* pixel = image.row(y) + x * 3;
      pixel[0] = static_cast<uint8_t>(std::min(255, red + light));
      pixel[1] = static_cast<uint8_t>(std::min(255, green + light));
      pixel[2] = static_cast<uint8_t>(std::min(255, blue + light));
    }
  }
  return encode_jpeg(image);
}

inline Stage stage_done(const std::string& name, char key) {
  Stage stage;
  stage.name = name;
  stage.status = StageStatus::kDone;
  stage.version = "1";
  stage.cache_key = std::string(64, key);
  stage.wall_ms = 1234;
  stage.frames = 30;
  return stage;
}

/// 12 s at 30000/1001 with 3 shots in 2 scenes, an object, a named person, a subtitle in Chinese,
/// an overlay with markup in it, a place, a black end; objects are there although their stage says
/// cached.
inline BuildInput sample_input() {
  constexpr int64_t kCut1_us = 4'004'000, kCut2_us = 8'008'000, kEnd_us = 12'012'000;
  BuildInput in;
  in.video.sha256 = std::string(64, 'a');
  in.video.name = "Tom & \"Jerry\" <draft>, take 1.mp4";
  in.video.bytes = 48'211'004;
  in.video.duration_us = kEnd_us;
  in.video.container = "mp4";
  in.video.source = Source{"path", "file:///videos/take1.mp4"};
  in.video.picture = {.codec = "h264",
                      .width = 1920,
                      .height = 1080,
                      .frame_rate = {30000, 1001},
                      .time_base = {1, 30000},
                      .frames = 360};
  in.video.audio = {{1, "aac", 2, 48000, "en"}};
  in.analysis.id = "a_1";
  in.analysis.features = {"shots", "scenes", "objects", "faces", "ocr", "labels"};
  in.analysis.range = {0, kEnd_us};
  in.analysis.created_at = "2026-11-23T15:10:02Z";
  in.analysis.finished_at = "2026-11-23T15:10:05Z";
  in.analysis.wall_seconds = 3;
  in.analysis.stages = {stage_done("shots", 'b'),   stage_done("scenes", 'c'),
                        stage_done("objects", 'd'), stage_done("faces", 'e'),
                        stage_done("ocr", 'f'),     stage_done("labels", '1')};
  in.analysis.stages[2].status = StageStatus::kCached;
  in.analysis.stages[3].model = StageModel{"dlib-resnet", std::string(64, '2'), "", "dlib", "cpu"};
  in.analysis.stages[3].ms_per_frame_p50 = 12.25;
  in.analysis.stages[3].ms_per_frame_p95 = 20.5;

  in.shots.resize(3);
  in.shots[0] = {{0, kCut1_us}, 0, 120, 1, 0.12f, {TransitionKind::kStart, {}}, {}};
  in.shots[1] = {{kCut1_us, kCut2_us},
                 120,
                 240,
                 0.98f,
                 0.4f,
                 {TransitionKind::kDissolve, TimeRange{3'503'500, 4'504'500}},
                 {}};
  in.shots[2] = {{kCut2_us, kEnd_us}, 240, 360, 0.99f, 0.05f, {TransitionKind::kCut, {}}, {}};
  in.shots[0].keyframes = {{2'002'000, 60, 0.9f, picture_of(640, 360, 70, 100, 140)}};
  in.shots[1].keyframes = {{6'006'000, 180, 0.7f, picture_of(640, 360, 150, 110, 80)},
                           {7'007'000, 210, 0.8f, picture_of(640, 360, 160, 120, 60)}};
  in.shots[2].keyframes = {{10'010'000, 300, 0.6f, picture_of(640, 360, 60, 120, 90)}};
  in.scenes = {{0, 1}, {2, 2}};
  in.markers = {{MarkerKind::kBlack, {11'511'500, kEnd_us}}};

  ObjectTrack cup;
  cup.label = "cup";
  cup.confidence = 0.83f;
  cup.range = {1'000'000, 2'000'000};
  cup.points = {{1'000'000, {0.1f, 0.2f, 0.3f, 0.4f}, 0.8f},
                {1'500'000, {0.11f, 0.2f, 0.31f, 0.4f}, 0.9f}};
  cup.best = 1;
  cup.thumbnail_jpeg = picture_of(120, 90, 120, 90, 160);
  ObjectTrack second = cup;  // 0.4 s later: the same instance
  second.range = {2'400'000, 3'000'000};
  second.points = {{2'400'000, {0.5f, 0.2f, 0.7f, 0.4f}, 0.7f}};
  second.best = 0;
  second.confidence = 0.6f;
  ObjectTrack third = second;  // 0.5 s later: another instance
  third.range = {3'500'000, 4'000'000};
  third.points = {{3'500'000, {0.5f, 0.2f, 0.7f, 0.4f}, 0.7f}};
  in.objects = {cup, second, third};

  FaceTrack face;
  face.range = {4'100'000, 7'000'000};
  face.points = {{4'100'000, {0.3f, 0.2f, 0.5f, 0.55f}, 0.9f},
                 {6'000'000, {0.3f, 0.2f, 0.5f, 0.55f}, 0.95f}};
  face.best = 1;
  face.quality = 0.8f;
  face.embedding = {0.1f, -0.2f, 0.3f};
  face.thumbnail_jpeg = picture_of(160, 160, 180, 140, 110);
  in.faces = {face};
  in.identities = {{"p_7", "Zoë & Co", false, Match{0.74f, 0.45f, 0.31f, "", "human"}}};

  TextTrack subtitle;
  subtitle.text = "你好，世界";
  subtitle.language = "zh";
  subtitle.confidence = 0.97f;
  subtitle.role = TextRole::kSubtitle;
  subtitle.range = {1'001'000, 3'003'000};
  subtitle.quad = {Point{0.3f, 0.85f}, {0.7f, 0.85f}, {0.7f, 0.92f}, {0.3f, 0.92f}};
  subtitle.observations = 4;
  TextTrack overlay = subtitle;
  overlay.text = "LIVE <b>\"now\"</b>,\nyes";
  overlay.language = "en";
  overlay.role = TextRole::kOverlay;
  overlay.range = {5'000'000, 9'000'000};
  in.texts = {overlay, subtitle};
  in.shot_labels = {{{"stage", 0.8f}}, {{"stage", 0.7f}, {"suit", 0.4f}}, {{"espresso", 0.9f}}};
  in.scene_places = {{{"office", 0.71f}}, {}};
  return in;
}

}  // namespace prismvid::document

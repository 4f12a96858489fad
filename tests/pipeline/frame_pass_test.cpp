#include "pipeline/frame_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "support/synthetic_source.h"

namespace prismvid::pipeline {
namespace {

using testing::ElementsAre;

/// Writes down what it is given; fails at one sample where told to.
class RecordingStage : public DetectorStage {
 public:
  struct Record {
    std::vector<int64_t> samples;  // frame numbers
    std::vector<int> shots;
    std::vector<int64_t> luma_frames;
    int64_t end_us = 0;
  };
  RecordingStage(Record& record, bool needs_luma, int64_t fails_at = -1)
      : record_(record), needs_luma_(needs_luma), fails_at_(fails_at) {}

  void add(const vision::Sample& sample, std::span<const vision::LumaFrame> frames) override {
    check(sample.frame != fails_at_, ErrorCode::kModel, "out of order");
    record_.samples.push_back(sample.frame);
    record_.shots.push_back(sample.shot);
    remember(frames);
    early_blobs_.push_back({"frame_" + std::to_string(sample.frame), {}});
  }
  std::vector<Blob> take_early_blobs() override { return std::exchange(early_blobs_, {}); }
  StageOutput finish(std::span<const vision::LumaFrame> frames, int64_t end_us) override {
    remember(frames);
    record_.end_us = end_us;
    return {};
  }
  bool needs_luma() const override { return needs_luma_; }

 private:
  void remember(std::span<const vision::LumaFrame> frames) {
    for (const auto& frame : frames) record_.luma_frames.push_back(frame.frame);
  }

  Record& record_;
  bool needs_luma_;
  int64_t fails_at_;
  std::vector<Blob> early_blobs_;
};

void paint_nothing(int64_t, Image&) {}

std::unique_ptr<media::FrameSource> clip(int64_t frames, std::vector<int64_t> pts_us = {}) {
  return tests::make_synthetic_source({.size = {64, 36}, .frames = frames, .pts_us = std::move(pts_us)}, paint_nothing);
}

/// One shot up to frame `cut`, another from there on, at 25 frames a second.
KnownShots two_shots(int64_t cut) {
  std::vector<Shot> shots(2);
  shots[0].range = {0, cut * 40'000};
  shots[1].range = {cut * 40'000, 1'000'000'000};
  return KnownShots(std::move(shots));
}

class FramePassTest : public testing::Test {
 protected:
  void add_stage(bool needs_luma = false, int64_t fails_at = -1) {
    stages_.push_back({"stage", std::make_unique<RecordingStage>(records_.emplace_back(), needs_luma, fails_at), {}, {}});
  }
  FramePass run(media::FrameSource& source, ShotFollower& shots, FramePassOptions options = {}) {
    FramePass pass(options, shots, stages_);
    pass.run(source, {}, [](int64_t) {});
    for (RunningStage& stage : stages_) stage.stage->finish(pass.rest(), pass.end_us());
    return pass;
  }

  std::deque<RecordingStage::Record> records_;
  std::vector<RunningStage> stages_;
};

TEST_F(FramePassTest, TwoSamplesASecondAreTaken) {
  add_stage();
  KnownShots shots = two_shots(30);
  const FramePass pass = run(*clip(60), shots);
  EXPECT_EQ(pass.frames(), 60);
  EXPECT_THAT(records_[0].samples, ElementsAre(0, 13, 25, 38, 50));
  EXPECT_THAT(records_[0].shots, ElementsAre(0, 0, 0, 1, 1));
  EXPECT_EQ(records_[0].end_us, 60 * 40'000);
}

TEST_F(FramePassTest, AVariableRateIsSampledByTimeNotByCount) {
  add_stage();
  KnownShots shots = two_shots(1000);
  run(*clip(6, {0, 100'000, 400'000, 2'000'000, 2'100'000, 2'600'000}), shots);
  EXPECT_THAT(records_[0].samples, ElementsAre(0, 3, 5));
}

TEST_F(FramePassTest, SamplesOfARangeStartWithIt) {
  add_stage();
  KnownShots shots = two_shots(1000);
  const auto source = clip(4, {700'000, 800'000, 1'100'000, 1'300'000});
  run(*source, shots, {.sample_rate = {2, 1}, .start_us = 700'000});
  EXPECT_THAT(records_[0].samples, ElementsAre(0, 3));
}

TEST_F(FramePassTest, StagesThatNeedItGetTheLumaOfEveryFrameOnce) {
  add_stage(true);
  add_stage(false);
  KnownShots shots = two_shots(30);
  run(*clip(60), shots);
  std::vector<int64_t> all(60);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(records_[0].luma_frames, all);
}

TEST_F(FramePassTest, AStageThatFailsLeavesTheOthersAlone) {
  add_stage(false, 25);
  add_stage();
  KnownShots shots = two_shots(30);
  run(*clip(60), shots);
  ASSERT_TRUE(stages_[0].error.has_value());
  EXPECT_EQ(stages_[0].error->code(), ErrorCode::kModel);
  EXPECT_THAT(records_[0].samples, ElementsAre(0, 13));
  EXPECT_FALSE(stages_[1].error.has_value());
  EXPECT_THAT(records_[1].samples, ElementsAre(0, 13, 25, 38, 50));
}

TEST_F(FramePassTest, WhatDetectorsGiveEarlyIsKeptOnTheThreadOfThePass) {
  add_stage();
  KnownShots shots = two_shots(30);
  std::vector<std::string> kept;
  const auto here = std::this_thread::get_id();
  const auto keep = [&](const std::string& stage, const Blob& blob) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    kept.push_back(stage + " " + blob.name);
  };
  run(*clip(60), shots, {.keep_early = keep});
  EXPECT_THAT(kept, ElementsAre("stage frame_0", "stage frame_13", "stage frame_25", "stage frame_38", "stage frame_50"));
}

TEST_F(FramePassTest, StoppingEndsThePassBetweenTwoFrames) {
  add_stage();
  KnownShots shots = two_shots(30);
  const auto source = clip(60);
  FramePass pass({}, shots, stages_);
  std::stop_source stop;
  int64_t seen = 0;
  try {
    pass.run(*source, stop.get_token(), [&](int64_t) {
      if (++seen == 10) stop.request_stop();
    });
    ADD_FAILURE() << "the pass went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(seen, 10);
}

/// Shots that are found on the way settle late; the detectors must hear of the cut before they see its samples.
TEST_F(FramePassTest, SamplesWaitUntilTheirShotIsKnown) {
  add_stage();
  std::vector<size_t> kept;
  LiveShots shots(vision::make_shot_detector(), [&](size_t keyframe, std::vector<uint8_t>) { kept.push_back(keyframe); });
  const auto source = tests::make_synthetic_source({.size = {128, 72}, .frames = 100}, [](int64_t index, Image& picture) {
    const int side = index < 53 ? 8 : 20;  // chequers of two sizes and colours
    for (int y = 0; y < picture.height(); ++y)
      for (int x = 0; x < picture.width(); ++x) {
        uint8_t* pixel = picture.row(y) + 3 * x;
        const bool light = (x / side + y / side) % 2 == 0;
        pixel[index < 53 ? 0 : 2] = light ? 230 : 20;
        pixel[1] = light ? 200 : 40;
      }
  });
  run(*source, shots);
  EXPECT_THAT(records_[0].samples, ElementsAre(0, 13, 25, 38, 50, 63, 75, 88));
  EXPECT_THAT(records_[0].shots, ElementsAre(0, 0, 0, 0, 0, 1, 1, 1));
  ASSERT_EQ(shots.value().shots.size(), 2u);
  EXPECT_EQ(shots.value().shots[1].frame_start, 53);
  EXPECT_GE(kept.size(), 2u);
}

}  // namespace
}  // namespace prismvid::pipeline

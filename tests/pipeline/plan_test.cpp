#include "pipeline/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/sha256.h"
#include "support/synthetic_clip.h"

namespace prismvid::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

/// Manifests of models whose weights are never loaded.
class PlanTest : public testing::Test {
 protected:
  void install(const std::string& id, const std::string& task, const std::string& weights = "weights") {
    fs::create_directories(folder_.path() / id);
    std::ofstream(folder_.path() / id / "m.onnx") << weights;
    const json manifest = {{"schema", "prismvid.model/1"}, {"id", id}, {"task", task}, {"version", "1"}, {"licence", "MIT"},
                           {"source", "test"},
                           {"files", {{{"name", "m.onnx"}, {"sha256", sha256_hex(weights)}}}},
                           {"parameters", json::object()}};
    std::ofstream(folder_.path() / id / "manifest.json") << manifest;
  }
  void install_text(const std::string& recognition_weights = "weights") {
    install("det", "text_detection");
    install("rec", "text_recognition", recognition_weights);
    install("cls", "text_orientation");
  }
  std::vector<StagePlan> plan(const AnalyzeOptions& options = {}, const std::string& sha256 = std::string(64, 'a')) {
    return plan_stages(options, vision::ModelRegistry({folder_.path()}), sha256, folder_.path() / "video.mp4");
  }
  /// Names of the stages whose keys differ.
  static std::set<std::string> changed(const std::vector<StagePlan>& before, const std::vector<StagePlan>& after) {
    std::set<std::string> names;
    for (size_t i = 0; i < before.size(); ++i)
      if (before[i].cache_key != after.at(i).cache_key) names.insert(before[i].name);
    return names;
  }

  tests::TemporaryFolder folder_;
};

TEST_F(PlanTest, AStageWithoutItsModelIsPlannedAsUnavailableWithWhatMendsIt) {
  const auto plans = plan();
  ASSERT_EQ(plans.size(), kFeatures.size());
  const StagePlan* objects = find_plan(plans, "objects");
  ASSERT_TRUE(objects && objects->unavailable);
  EXPECT_EQ(objects->unavailable->code, "model_not_installed");
  EXPECT_THAT(objects->unavailable->message, HasSubstr("prismvid models install"));
  EXPECT_FALSE(find_plan(plans, "shots")->unavailable);
}

TEST_F(PlanTest, OnlyWhatWasAskedForIsPlanned) {
  AnalyzeOptions options;
  options.features = {"shots", "transcript"};
  const auto plans = plan(options);
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(find_plan(plans, "faces"), nullptr);
}

TEST_F(PlanTest, AnotherModelRunsItsOwnStageAgain) {
  install_text();
  const auto before = plan();
  install_text("better weights");
  EXPECT_EQ(changed(before, plan()), (std::set<std::string>{"ocr"}));
}

TEST_F(PlanTest, AnotherShotDetectorRunsWhatReadsShotsAgain) {
  install("net", "shot_detection");
  AnalyzeOptions options;
  const auto before = plan(options);
  options.accurate_shots = true;
  EXPECT_EQ(changed(before, plan(options)),
            (std::set<std::string>{"shots", "scenes", "objects", "faces", "ocr", "labels", "places"}));
}

TEST_F(PlanTest, AnotherFileOrRangeRunsEverythingAgain) {
  const auto before = plan();
  EXPECT_EQ(changed(before, plan({}, std::string(64, 'b'))).size(), kFeatures.size());
  AnalyzeOptions part;
  part.range = TimeRange{0, 1'000'000};
  EXPECT_EQ(changed(before, plan(part)).size(), kFeatures.size());
}

TEST_F(PlanTest, ThreadsAndHardwareAreNoReasonToRunAgain) {
  AnalyzeOptions options;
  options.threads = 1;
  options.hardware = media::HardwareDecoding::kAuto;
  EXPECT_EQ(changed(plan(), plan(options)), (std::set<std::string>{}));
}

TEST_F(PlanTest, ANewSubtitleFileRunsTheTranscriptAgain) {
  std::ofstream(folder_.path() / "video.mp4") << "x";
  const auto before = plan();
  std::ofstream(folder_.path() / "video.srt") << "1\n00:00:00,000 --> 00:00:01,000\nHi\n";
  EXPECT_EQ(changed(before, plan()), (std::set<std::string>{"transcript"}));
}

}  // namespace
}  // namespace prismvid::pipeline

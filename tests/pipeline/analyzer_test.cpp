#include "pipeline/analyzer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "core/error.h"
#include "document/json.h"
#include "pipeline/library_search.h"
#include "store/open_store.h"
#include "support/synthetic_clip.h"

// With the stages that need no model: what a model finds is tested in vision, the whole in cli.
namespace prismvid::pipeline {
namespace {

namespace fs = std::filesystem;
using document::StageStatus;
using testing::HasSubstr;

class AnalyzerTest : public testing::Test {
 protected:
  AnalyzerTest() : store_(store::open_store(folder_.path() / "test.db")) {
    options_.features = {"shots", "scenes", "transcript"};
    fs::copy_file(tests::synthetic_clip("-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 -f lavfi -i "
                                        "smptebars=size=320x180:rate=25:duration=2 -filter_complex concat=n=2 -c:v libx264",
                                        "two.mkv"),
                  video_);
  }
  document::Document analyze(std::stop_token stop = {}, const ProgressCallback& progress = {}) {
    return Analyzer(*store_, models_).analyze(video_, options_, progress, stop);
  }
  static std::map<std::string, StageStatus> statuses(const document::Document& document) {
    std::map<std::string, StageStatus> result;
    for (const auto& stage : document.analysis.stages) result[stage.name] = stage.status;
    return result;
  }
  void append(const std::string& bytes) { std::ofstream(video_, std::ios::binary | std::ios::app) << bytes; }

  tests::TemporaryFolder folder_;
  fs::path video_ = folder_.path() / "two.mkv";
  std::unique_ptr<store::Store> store_;
  vision::ModelRegistry models_{{}};
  AnalyzeOptions options_;
};

TEST_F(AnalyzerTest, ShotsTileTheVideo) {
  const document::Document document = analyze();
  EXPECT_EQ(document.analysis.status, "complete");
  ASSERT_EQ(document.shots.size(), 2u);
  EXPECT_EQ(document.shots[0].frame_start, 0);
  EXPECT_EQ(document.shots[1].frame_start, 50);
  EXPECT_EQ(document.shots[1].frame_end, 100);
  EXPECT_EQ(document.video.picture.frames, 100);
}

/// What is in memory says more than what was stored, so that it shows which of the two is indexed.
TEST_F(AnalyzerTest, ADocumentThatWasStoredJustNowIsIndexedWithoutReadingItBack) {
  document::Document document = analyze();
  document.analysis.id = "a_next";
  const auto store_again = [&] {
    store_->put_document({"a_next", document.video.id, "complete", document::to_text(document::to_json(document)), ""});
  };
  store_again();
  document::TextElement text;
  text.id = "t_1";
  text.text = "walrus";
  text.instances.push_back({{0, 1'000'000}, {}, 0, {}});
  document.texts.push_back(text);
  LibrarySearch search(models_);
  search.update(*store_, &document);
  EXPECT_EQ(search.find(*store_, {.words = "walrus"}).hits.size(), 1u);
  document.texts.clear();
  store_again();
  document.texts.push_back(text);
  document.analysis.id = "a_other";
  search.update(*store_, &document);
  EXPECT_TRUE(search.find(*store_, {.words = "walrus"}).hits.empty());
}

/// The file's bytes are gone but its size, time and inode are as they were: only an answer from the store can be right.
TEST_F(AnalyzerTest, ASecondRunReadsNothingOfTheVideo) {
  analyze();
  const auto written_at = fs::last_write_time(video_);
  std::fstream(video_, std::ios::binary | std::ios::in | std::ios::out) << std::string(fs::file_size(video_), '\0');
  fs::last_write_time(video_, written_at);
  const document::Document second = analyze();
  EXPECT_EQ(second.shots.size(), 2u);
  for (const auto& [name, status] : statuses(second)) EXPECT_EQ(status, StageStatus::kCached) << name;
}

TEST_F(AnalyzerTest, AChangedFileIsAnotherVideo) {
  const std::string first = analyze().video.id;
  append("tail");
  EXPECT_NE(analyze().video.id, first);
}

TEST_F(AnalyzerTest, AStoppedRunKeepsTheStagesItFinished) {
  std::stop_source stop;
  const ProgressCallback stop_at_scenes = [&](const Progress& progress) {
    if (progress.stage == "frames" && progress.media_us > 0) stop.request_stop();
  };
  try {
    analyze(stop.get_token(), stop_at_scenes);
    ADD_FAILURE() << "the run went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_EQ(store_->runs(store_->videos().front().id).front().status, "cancelled");
  EXPECT_EQ(statuses(analyze())["shots"], StageStatus::kDone);

  options_.features.insert("labels");  // its model is not there: said, and no failure
  const document::Document more = analyze();
  EXPECT_EQ(statuses(more)["shots"], StageStatus::kCached);
  EXPECT_EQ(statuses(more)["labels"], StageStatus::kUnavailable);
}

TEST_F(AnalyzerTest, ForceRunsWhatIsStored) {
  analyze();
  options_.force = true;
  EXPECT_EQ(statuses(analyze())["shots"], StageStatus::kDone);
}

TEST_F(AnalyzerTest, NothingIsStoredOfWhatIsNoVideo) {
  std::ofstream(video_, std::ios::binary) << std::string(4000, 'x');
  EXPECT_THROW(analyze(), Error);
  EXPECT_TRUE(store_->videos().empty());
}

TEST_F(AnalyzerTest, ATruncatedVideoIsAnalysedAsFarAsItGoesAndSaysSo) {
  fs::resize_file(video_, fs::file_size(video_) * 6 / 10);
  const document::Document document = analyze();
  ASSERT_FALSE(document.analysis.warnings.empty());
  EXPECT_LT(document.video.picture.frames, 100);
  EXPECT_EQ(document.shots.back().frame_end, document.video.picture.frames);
  // Told again when it is answered from the store.
  EXPECT_EQ(analyze().analysis.warnings.size(), document.analysis.warnings.size());
}

TEST_F(AnalyzerTest, ASubtitleFileBecomesTheTranscript) {
  std::ofstream(folder_.path() / "two.srt") << "1\n00:00:01,000 --> 00:00:02,500\nGuten Tag\n";
  const document::Document document = analyze();
  ASSERT_TRUE(document.transcript.has_value());
  EXPECT_THAT(document.transcript->segments.at(0).text, HasSubstr("Guten Tag"));
}

TEST_F(AnalyzerTest, AVideoIsFoundByPathIdAndHashAndAfterItIsGone) {
  const document::Document document = analyze();
  for (const std::string& name : {video_.string(), document.video.id, document.video.sha256})
    EXPECT_EQ(require_video(*store_, name).id, document.video.id);
  fs::remove(video_);
  EXPECT_EQ(require_video(*store_, video_.string()).id, document.video.id);
  EXPECT_EQ(latest_document(*store_, document.video.id).shots.size(), 2u);
  EXPECT_THROW(require_video(*store_, "nothing.mp4"), Error);
}

}  // namespace
}  // namespace prismvid::pipeline

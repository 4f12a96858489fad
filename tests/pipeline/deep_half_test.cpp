#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <new>
#include <nlohmann/json.hpp>

#include "../deep/script_model.h"
#include "core/error.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "pipeline/questions.h"
#include "store/open_store.h"
#include "support/synthetic_clip.h"

namespace prismvid::pipeline {
namespace {

using document::StageStatus;
using testing::HasSubstr;

/// Gives a script's model, or the trouble a test asks for.
class ScriptProvider : public deep::ModelProvider {
 public:
  explicit ScriptProvider(deep::ScriptModel::Answer answer)
      : model_(std::make_shared<deep::ScriptModel>(std::move(answer))) {}

  deep::ModelChoice choose(const std::string&) override {
    if (missing) fail(ErrorCode::kNotFound, "no model: run 'prismvid models pull NAME'");
    return {"script", model_->card(), model_->feeding(), weight_bytes};
  }

  std::shared_ptr<deep::Model> open(const deep::ModelChoice&) override {
    ++opened;
    if (out_of_memory) throw std::bad_alloc();
    if (damaged) fail(ErrorCode::kModel, "model.safetensors is damaged");
    return model_;
  }

  deep::ScriptModel& model() { return *model_; }

  bool missing = false;
  bool damaged = false;
  bool out_of_memory = false;
  uint64_t weight_bytes = 1000;
  int opened = 0;

 private:
  std::shared_ptr<deep::ScriptModel> model_;
};

std::string good_reply(const deep::Request& request) {
  if (request.clip) {
    if (request.prompt.starts_with("Describe this scene"))
      return R"({"title":"A test","description":"It moves."})";
    const double start = static_cast<double>(request.clip->range.start_us) / 1e6;
    return nlohmann::json{
        {"captions", {{{"start", start}, {"end", start + 1}, {"text", "It moves."}}}}}
        .dump();
  }
  if (request.prompt.find("Divide the video") != std::string::npos)
    return R"({"chapters":[{"start":0,"end":4,"title":"All"}]})";
  if (request.prompt.find("Summarise") != std::string::npos)
    return R"({"line":"It moves.","short":"It moves.","long":"It moves.","bullets":["It moves."]})";
  if (request.prompt.find("tell a story") != std::string::npos)
    return R"({"applicable":false,"arcs":[]})";
  return R"({"highlights":[{"start":0,"end":1,"score":0.5,"reason":"It moves."}]})";
}

class DeepHalfTest : public testing::Test {
 protected:
  DeepHalfTest() : store_(store::open_store(folder_.path() / "test.db")) {
    video_ = tests::synthetic_clip(
        "-f lavfi -i testsrc2=size=64x36:rate=10:duration=45 -c:v libx264 -g 10 -pix_fmt yuv420p",
        "forty_five.mp4");
    options_.features = {"shots", "scenes"};
    options_.deep.mode = DeepMode::kAuto;
  }

  document::Document analyze(ScriptProvider& provider) {
    const vision::ModelRegistry models = vision::ModelRegistry::standard({});
    return Analyzer(*store_, models, &provider).analyze(video_, options_);
  }

  static std::map<std::string, StageStatus> statuses(const document::Document& document) {
    std::map<std::string, StageStatus> result;
    for (const document::Stage& stage : document.analysis.stages) result[stage.name] = stage.status;
    return result;
  }

  static void expect_fast_half(const document::Document& document) {
    for (const char* name : {"shots", "scenes"}) {
      const StageStatus status = statuses(document)[name];
      EXPECT_TRUE(status == StageStatus::kDone || status == StageStatus::kCached) << name;
    }
    ASSERT_TRUE(document.analysis.degraded);
    EXPECT_EQ(document.analysis.status, "partial");
    EXPECT_EQ(document.summaries.front().by.value("engine", ""), "template");
  }

  tests::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::filesystem::path video_;
  AnalyzeOptions options_;
};

TEST_F(DeepHalfTest, EveryPartIsInTheDocument) {
  ScriptProvider provider(good_reply);
  const document::Document document = analyze(provider);
  EXPECT_EQ(document.analysis.status, "complete") << document::to_text(document::to_json(document));
  EXPECT_EQ(document.captions.size(), 4u);  // three windows and a scene
  EXPECT_EQ(document.captions[0]["level"], "window");
  EXPECT_EQ(document.captions[0]["evidence"][0]["shot"], document.shots[0].id);
  EXPECT_EQ(document.scenes[0].title, "A test");
  EXPECT_EQ(document.chapters.size(), 1u);
  EXPECT_EQ(document.chapters[0]["scenes"][0], document.scenes[0].id);
  EXPECT_EQ(document.summaries.size(), 5u);
  EXPECT_EQ(document.highlights.size(), 1u);
  EXPECT_FALSE(document.story["applicable"].get<bool>());
}

TEST_F(DeepHalfTest, ASecondRunNeitherOpensTheModelNorAsks) {
  ScriptProvider provider(good_reply);
  analyze(provider);
  const size_t asked = provider.model().asked.size();
  const document::Document second = analyze(provider);
  EXPECT_EQ(second.analysis.status, "complete");
  EXPECT_EQ(provider.opened, 1);
  EXPECT_EQ(provider.model().asked.size(), asked);
  EXPECT_EQ(statuses(second)["caption"], StageStatus::kCached);
}

TEST_F(DeepHalfTest, WhatIsFinishedCanBeReadWhileTheRestRuns) {
  std::vector<document::Document> seen;
  ScriptProvider provider([&](const deep::Request& request) {
    seen.push_back(latest_document(*store_, store_->videos().front().id));
    return good_reply(request);
  });
  analyze(provider);
  EXPECT_EQ(seen.front().analysis.status, "complete");
  EXPECT_EQ(seen.front().analysis.profile, "fast");
  EXPECT_FALSE(seen.front().shots.empty());
  EXPECT_TRUE(seen.front().captions.empty());
  EXPECT_FALSE(seen.back().captions.empty())
      << "the captions were finished before the last question";
}

TEST_F(DeepHalfTest, AnEarlierDocumentStaysUntilTheNextIsWhole) {
  ScriptProvider provider(good_reply);
  const std::string first = analyze(provider).analysis.id;
  options_.force = true;
  std::string meanwhile;
  ScriptProvider again([&](const deep::Request& request) {
    meanwhile = latest_document(*store_, store_->videos().front().id).analysis.id;
    return good_reply(request);
  });
  EXPECT_NE(analyze(again).analysis.id, first);
  EXPECT_EQ(meanwhile, first);
}

TEST_F(DeepHalfTest, AMissingModelLeavesTheFastHalf) {
  ScriptProvider provider(good_reply);
  provider.missing = true;
  const document::Document document = analyze(provider);
  expect_fast_half(document);
  EXPECT_EQ(document.analysis.degraded->code, "deep_unavailable");
  EXPECT_THAT(document.analysis.degraded->message, HasSubstr("models pull"));
  EXPECT_EQ(document.analysis.degraded->missing.size(), 6u);
}

TEST_F(DeepHalfTest, ADamagedModelLeavesTheFastHalf) {
  ScriptProvider provider(good_reply);
  provider.damaged = true;
  const document::Document document = analyze(provider);
  expect_fast_half(document);
  EXPECT_THAT(document.analysis.degraded->message, HasSubstr("damaged"));
}

TEST_F(DeepHalfTest, AModelThatDoesNotFitLeavesTheFastHalf) {
  ScriptProvider provider(good_reply);
  provider.weight_bytes = uint64_t{1} << 50;
  const document::Document document = analyze(provider);
  expect_fast_half(document);
  EXPECT_EQ(document.analysis.degraded->code, "deep_out_of_memory");
  EXPECT_EQ(provider.opened, 0);
  provider.weight_bytes = 1000;
  provider.out_of_memory = true;
  EXPECT_EQ(analyze(provider).analysis.degraded->code, "deep_out_of_memory");
}

TEST_F(DeepHalfTest, AFailureHalfWayKeepsWhatWasDoneAndTheNextRunAddsTheRest) {
  int calls = 0;
  ScriptProvider failing([&](const deep::Request& request) {
    if (++calls == 3) fail(ErrorCode::kModel, "the device was lost");
    return good_reply(request);
  });
  const document::Document first = analyze(failing);
  expect_fast_half(first);
  EXPECT_EQ(statuses(first)["caption"], StageStatus::kFailed);
  EXPECT_THAT(first.analysis.degraded->message, HasSubstr("the device was lost"));
  ScriptProvider provider(good_reply);
  const document::Document second = analyze(provider);
  EXPECT_EQ(second.analysis.status, "complete");
  EXPECT_EQ(statuses(second)["shots"], StageStatus::kCached);
  // One window of three, then a story, chapters, a summary and highlights; the scene was described
  // before.
  EXPECT_EQ(provider.model().asked.size(), 5u);
}

TEST_F(DeepHalfTest, OnlyThePartsAskedForRunWithTheCaptionsTheyRead) {
  ScriptProvider provider(good_reply);
  options_.deep.features = {"summary"};
  const document::Document document = analyze(provider);
  EXPECT_EQ(document.analysis.status, "complete");
  EXPECT_TRUE(statuses(document).contains("caption"));
  EXPECT_FALSE(statuses(document).contains("story"));
}

TEST_F(DeepHalfTest, LeftOutPartsAreAWarningOfTheAnalysis) {
  ScriptProvider provider([](const deep::Request& request) -> std::string {
    return request.clip && request.clip->range.start_us == 0
               ? R"({"captions":[{"start":0,"end":1,"text":"a"},{"start":900,"end":901,"text":"b"}]})"
               : R"({"captions":[]})";
  });
  options_.deep.features = {"caption"};
  const document::Document document = analyze(provider);
  ASSERT_EQ(document.analysis.warnings.size(), 1u);
  EXPECT_EQ(document.analysis.warnings[0].code, "deep");
  EXPECT_THAT(document.analysis.warnings[0].message, HasSubstr("what was not shown"));
}

TEST_F(DeepHalfTest, AQuestionWithoutAModelIsAnsweredBySearchAndSaysSo) {
  ScriptProvider provider(good_reply);
  const document::Document document = analyze(provider);
  provider.missing = true;
  const vision::ModelRegistry models = vision::ModelRegistry::standard({});
  LibrarySearch search(models);
  Questions questions(*store_, search, &provider);
  const deep::Answer answer = questions.ask({document.video.id}, "What moves?", "", {});
  EXPECT_EQ(answer.engine, "search");
  EXPECT_EQ(answer.degraded->code, "deep_unavailable");
  EXPECT_FALSE(answer.citations.empty());
  EXPECT_THROW(questions.ask({"v_nothing"}, "What moves?", "", {}), Error);
}

/// Three windows; a cup is told of in the second, and the model sees it nowhere.
TEST_F(DeepHalfTest, OneSearchFindsWhereAQuestionLooksInAVideoAndInTheLibrary) {
  std::vector<int64_t> looked_us;
  ScriptProvider provider([&](const deep::Request& request) -> std::string {
    if (!request.clip) return good_reply(request);
    const int64_t start_us = request.clip->range.start_us;
    if (request.prompt.find("\nQuestion: ") != std::string::npos) {
      looked_us.push_back(start_us);
      return R"({"evidence":[],"shown":false,"answer":"No."})";
    }
    const double start = static_cast<double>(start_us) / 1e6;
    const char* const text = start > 10 && start < 20 ? "A cup falls." : "A dog runs.";
    return nlohmann::json{{"captions", {{{"start", start}, {"end", start + 1}, {"text", text}}}}}
        .dump();
  });
  options_.deep.features = {"caption"};
  const document::Document document = analyze(provider);
  const vision::ModelRegistry models = vision::ModelRegistry::standard({});
  LibrarySearch search(models);
  Questions questions(*store_, search, &provider);
  questions.ask({document.video.id}, "What does the cup do?", "", {.most_windows = 1});
  questions.ask({}, "Does the cup fall?", "", {.most_windows = 1});
  EXPECT_THAT(looked_us, testing::ElementsAre(15'000'000, 15'000'000));
  looked_us.clear();
  questions.ask({document.video.id}, "And then?", "",
                {.history = {{"What does the cup do?", "It falls."}}, .most_windows = 1});
  EXPECT_EQ(looked_us.at(0), 15'000'000) << "a follow-up is about what was asked before";
  looked_us.clear();
  questions.ask({document.video.id}, "What does the cup do?", "",
                {.range = TimeRange{30'000'000, 45'000'000}, .most_windows = 1});
  EXPECT_EQ(looked_us.at(0), 30'000'000) << "outside the range nothing is looked for";
  EXPECT_NO_THROW(questions.ask({document.video.id}, "???", "", {.most_windows = 1}));
}

}  // namespace
}  // namespace prismvid::pipeline

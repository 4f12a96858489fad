#include "deep/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "memory_parts.h"
#include "script_model.h"
#include "support/synthetic_clip.h"

namespace prismvid::deep {
namespace {

using document::Json;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;

/// A video of 30 s, a shot for each five.
class StagesTest : public testing::Test {
 protected:
  StagesTest() {
    video_ = tests::synthetic_clip(
        "-f lavfi -i testsrc2=size=64x36:rate=10:duration=30 -c:v libx264 -g 10 -pix_fmt yuv420p",
        "thirty.mp4");
    known_.video.sha256 = std::string(64, 'c');
    known_.analysis.range = {0, 30 * kSecond};
    for (int i = 0; i < 6; ++i) {
      document::DocumentShot shot;
      shot.id = "s_" + std::to_string(i);
      shot.range = {i * 5 * kSecond, (i + 1) * 5 * kSecond};
      known_.shots.push_back(shot);
    }
  }

  Work work(ScriptModel& model) {
    return {video_, known_, "en", model, parts_, [](const std::string&) { return std::nullopt; }};
  }

  /// A caption in the middle of the clip that was shown.
  static std::string caption_of(const Request& request) {
    const double start = static_cast<double>(request.clip->range.start_us) / 1e6 + 1;
    return Json{{"captions", {{{"start", start}, {"end", start + 1}, {"text", "It moves."}}}}}
        .dump();
  }

  std::filesystem::path video_;
  document::Document known_;
  MemoryParts parts_;
};

TEST_F(StagesTest, EveryWindowIsShownWithItsTimesAndCaptioned) {
  ScriptModel model(caption_of);
  const StageResult result = write_captions(work(model));
  ASSERT_EQ(model.asked.size(), 2u);
  EXPECT_EQ(model.asked[1].clip->times_us.front(), 20 * kSecond);
  EXPECT_EQ(model.asked[1].clip->frames.size(), 20u);
  const auto captions = read_captions(result.json);
  ASSERT_EQ(captions.size(), 2u);
  EXPECT_EQ(captions[1].range, (TimeRange{21 * kSecond, 22 * kSecond}));
  const Json& first = result.json["captions"][0];
  EXPECT_EQ(first["evidence"][0]["start"], 1);
  EXPECT_EQ(first["by"]["prompt_id"], "prompts/captions.md");
  EXPECT_EQ(first["by"]["model"], "script");
  EXPECT_EQ(result.frames, 60);
  EXPECT_TRUE(result.warnings.empty());
}

TEST_F(StagesTest, CaptionsThatCiteWhatWasNotShownAreDroppedCountedAndReported) {
  ScriptModel model([](const Request& request) -> std::string {
    return request.clip->range.start_us == 0
               ? R"({"captions":[{"start":1,"end":2,"text":"a"},{"start":25,"end":26,"text":"b"}]})"
               : R"({"captions":[]})";
  });
  const StageResult result = write_captions(work(model));
  EXPECT_EQ(result.json["captions"].size(), 1u);
  ASSERT_EQ(result.warnings.size(), 1u);
  EXPECT_THAT(result.warnings[0], HasSubstr("1 × caption that cites what was not shown"));
}

TEST_F(StagesTest, AWindowWithoutASoundReplyIsReportedAndTheOthersStay) {
  ScriptModel model([](const Request& request) {
    return request.clip->range.start_us == 0 ? "nonsense" : caption_of(request);
  });
  const StageResult result = write_captions(work(model));
  EXPECT_EQ(result.json["captions"].size(), 1u);
  EXPECT_THAT(result.warnings.at(0), HasSubstr("1 × window"));
}

TEST_F(StagesTest, NothingReadableAtAllIsAFailure) {
  ScriptModel model([](const Request&) { return "nonsense"; });
  EXPECT_THROW(write_captions(work(model)), Error);
}

TEST_F(StagesTest, AnInterruptedStageGoesOnAfterItsFinishedWindows) {
  int calls = 0;
  ScriptModel failing([&](const Request& request) {
    if (++calls == 2) fail(ErrorCode::kModel, "out of luck");
    return caption_of(request);
  });
  EXPECT_THROW(write_captions(work(failing)), Error);
  ScriptModel model(caption_of);
  const StageResult result = write_captions(work(model));
  EXPECT_EQ(model.asked.size(), 1u);
  EXPECT_EQ(result.json["captions"].size(), 2u);
}

TEST_F(StagesTest, AnotherLanguageOrFactAsksAnew) {
  ScriptModel model(caption_of);
  write_captions(work(model));
  Work german = work(model);
  german.language = "de";
  write_captions(german);
  EXPECT_EQ(model.asked.size(), 4u);
  document::TextElement text;
  text.text = "NEW";
  text.instances = {{{21 * kSecond, 22 * kSecond}, {}, 0, ""}};
  known_.texts.push_back(text);
  write_captions(work(model));
  EXPECT_EQ(model.asked.size(), 5u) << "only the window that shows the text";
}

TEST_F(StagesTest, ScenesAreDescribedOneByOne) {
  document::DocumentScene scene;
  scene.range = {0, 10 * kSecond};
  known_.scenes.push_back(scene);
  scene.range = {10 * kSecond, 30 * kSecond};
  known_.scenes.push_back(scene);
  ScriptModel model(
      [](const Request&) { return R"({"title":"A thing","description":"It is there."})"; });
  const StageResult result = describe_scenes(work(model));
  ASSERT_EQ(result.json["scenes"].size(), 2u);
  EXPECT_EQ(result.json["scenes"][1]["scene"], 1);
  EXPECT_EQ(result.json["scenes"][1]["start"], 10);
}

std::vector<Caption> captions_every_second(int count) {
  std::vector<Caption> captions;
  for (int i = 0; i < count; ++i)
    captions.push_back(
        {{i * kSecond, (i + 1) * kSecond}, "Thing " + std::to_string(i) + " moves."});
  return captions;
}

TEST_F(StagesTest, ChaptersTileTheVideoAtItsCuts) {
  ScriptModel model([](const Request&) {
    return R"({"chapters":[{"start":0.3,"end":9.6,"title":"One"},{"start":10.4,"end":29,"title":"Two"},
      {"start":95,"end":99,"title":"Made up"}]})";
  });
  const StageResult result = write_chapters(work(model), captions_every_second(30));
  const Json& chapters = result.json["chapters"];
  ASSERT_EQ(chapters.size(), 2u);
  EXPECT_EQ(chapters[0]["start"], 0);
  EXPECT_EQ(chapters[0]["end"], 10);
  EXPECT_EQ(chapters[1]["start"], 10);
  EXPECT_EQ(chapters[1]["end"], 30);
  EXPECT_THAT(result.warnings.at(0), HasSubstr("1 × chapter"));
}

TEST_F(StagesTest, SummariesRestOnTheCaptionsTheyTell) {
  ScriptModel model([](const Request&) {
    return R"({"line":"Thing 3 moves.","short":"Thing 1 moves. Thing 2 moves.","long":"All.","bullets":["Thing 4 moves."]})";
  });
  const StageResult result = write_summaries(work(model), captions_every_second(30));
  const Json& summaries = result.json["summaries"];
  ASSERT_EQ(summaries.size(), 4u);
  EXPECT_EQ(summaries[0]["kind"], "line");
  EXPECT_EQ(summaries[0]["evidence"][0]["start"], 3);
  for (const Json& summary : summaries) EXPECT_FALSE(summary["evidence"].empty());
}

TEST_F(StagesTest, AStoryKeepsOnlyBeatsThatWereTold) {
  ScriptModel model([](const Request&) {
    return R"({"applicable":true,"arcs":[{"title":"The things","people":["Thing 1"],"beats":[
      {"kind":"climax","start":8,"end":9,"text":"Thing 8 moves.","intensity":1.0},
      {"kind":"setup","start":1,"end":2,"text":"Thing 1 moves.","intensity":0.2},
      {"kind":"resolution","start":300,"end":301,"text":"They rest.","intensity":0.1}]}]})";
  });
  const StageResult result = write_story(work(model), captions_every_second(30));
  const Json& story = result.json["story"];
  ASSERT_EQ(story["arcs"][0]["beats"].size(), 2u);
  EXPECT_EQ(story["arcs"][0]["beats"][0]["kind"], "setup");
  EXPECT_EQ(story["arcs"][0]["cast"][0], "Thing 1");
  EXPECT_EQ(story["curve"], Json::parse("[[1.5,0.2],[8.5,1.0]]"));
  EXPECT_EQ(result.warnings.size(), 1u);
}

TEST_F(StagesTest, NoStoryIsAnAnswerToo) {
  ScriptModel model([](const Request&) { return R"({"applicable":false,"arcs":[]})"; });
  const StageResult result = write_story(work(model), captions_every_second(3));
  EXPECT_FALSE(result.json["story"]["applicable"].get<bool>());
  EXPECT_TRUE(result.json["story"]["arcs"].empty());
}

TEST_F(StagesTest, ALongVideoIsReadByLevels) {
  ScriptModel model([](const Request& request) -> std::string {
    EXPECT_LT(request.prompt.size() / 4, 700u);
    if (request.prompt.find("Divide the video") != std::string::npos) return R"({"chapters":[]})";
    if (request.prompt.find("highlights") != std::string::npos) return R"({"highlights":[]})";
    return R"({"line":"a","short":"Things move.","long":"b","bullets":[]})";
  });
  model.feeding_.reading_tokens = 500;
  known_.analysis.range = {0, 3600 * kSecond};
  const std::vector<Caption> captions = captions_every_second(3600);
  write_summaries(work(model), captions);
  const size_t summaries = model.asked.size();
  EXPECT_GT(summaries, 40u);
  write_chapters(work(model), captions);
  write_highlights(work(model), captions);
}

TEST_F(StagesTest, HighlightsOfManySectionsComeDownToThree) {
  ScriptModel model([](const Request& request) -> std::string {
    const size_t at = request.prompt.find(":\n");
    const std::string first = request.prompt.substr(at + 2);
    const std::string start = first.substr(0, first.find('-'));
    return R"({"highlights":[{"start":)" + start + R"(,"end":)" + start +
           R"(,"score":0.5,"reason":"r"}]})";
  });
  model.feeding_.reading_tokens = 100;
  const StageResult result = write_highlights(work(model), captions_every_second(30));
  EXPECT_LE(result.json["highlights"].size(), 3u);
  EXPECT_GE(result.json["highlights"].size(), 1u);
}

}  // namespace
}  // namespace prismvid::deep

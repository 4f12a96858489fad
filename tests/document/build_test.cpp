#include "document/build.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "document/check.h"
#include "document/json.h"
#include "sample.h"

namespace prismvid::document {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Build, GivesADocumentThatKeepsTheRules) {
  EXPECT_THAT(check_document(build_document(sample_input())), IsEmpty());
}

TEST(Build, IsTheSameForTheSameInput) {
  EXPECT_EQ(to_text(to_json(build_document(sample_input()))),
            to_text(to_json(build_document(sample_input()))));
}

TEST(Build, JoinsInstancesCloserThanHalfASecond) {
  const Document document = build_document(sample_input());
  ASSERT_EQ(document.objects.size(), 1u);
  const auto& instances = document.objects[0].instances;
  ASSERT_EQ(instances.size(), 2u);
  EXPECT_EQ(instances[0].range, (TimeRange{1'000'000, 3'000'000}));  // 0.4 s apart
  EXPECT_EQ(instances[1].range, (TimeRange{3'500'000, 4'000'000}));  // 0.5 s apart
  EXPECT_EQ(document.objects[0].seen_us, 2'500'000);
  EXPECT_THAT(instances[0].tracks, ElementsAre("ot_dddddd0", "ot_dddddd1"));
  EXPECT_EQ(instances[0].track, "ot_dddddd0");
  EXPECT_EQ(instances[0].best->t_us, 1'500'000);
}

TEST(Build, PutsInstancesIntoShots) {
  const Document document = build_document(sample_input());
  EXPECT_THAT(document.people[0].instances[0].shots, ElementsAre("s_bbbbbb1"));
  EXPECT_THAT(document.markers[0].instances[0].shots, ElementsAre("s_bbbbbb2"));
}

TEST(Build, IdsChangeWithTheCacheKeyOfTheirStageOnly) {
  BuildInput input = sample_input();
  input.analysis.stages[4].cache_key = std::string(64, '9');
  const Document document = build_document(input);
  EXPECT_EQ(document.texts[0].id, "x_9999991");
  EXPECT_EQ(document.shots[0].id, "s_bbbbbb0");
  EXPECT_EQ(document.people[0].id, "p_7");
}

TEST(Build, CutsEverythingToTheAnalysedRange) {
  BuildInput input = sample_input();
  input.texts[0].range = {5'000'000, 99'000'000};
  input.objects[0].range = {50'000'000, 60'000'000};
  const Document document = build_document(input);
  EXPECT_EQ(document.texts[1].instances[0].range.end_us, 12'012'000);
  EXPECT_THAT(check_document(document), IsEmpty());
}

TEST(Build, FacesWithoutPersonAreNobody) {
  BuildInput input = sample_input();
  input.identities[0].person_id.clear();
  EXPECT_THAT(build_document(input).people, IsEmpty());
  input.identities.emplace_back();
  EXPECT_THROW(build_document(input), Error);
}

TEST(Build, TheFaceSaysTheFraming) {
  const Document document = build_document(sample_input());
  EXPECT_EQ(document.shots[0].framing, "unknown");
  EXPECT_EQ(document.shots[1].framing, "close_up");
}

TEST(Build, LabelsRunOverNeighbouringShots) {
  const Document document = build_document(sample_input());
  ASSERT_EQ(document.labels.size(), 3u);
  EXPECT_EQ(document.labels[0].name, "espresso");
  EXPECT_EQ(document.labels[1].instances[0].range, (TimeRange{0, 8'008'000}));
  EXPECT_FLOAT_EQ(document.labels[1].confidence, 0.8f);
}

TEST(Build, TheSummaryLineNamesWhatThereIsWithEvidence) {
  const Summary line = build_document(sample_input()).summaries.at(0);
  EXPECT_EQ(line.text,
            "12 s, 3 shots, 2 scenes (office); Zoë & Co on screen 24 % of the time; cup; "
            "text \"LIVE <b>\"now\"</b>, yes\".");
  ASSERT_EQ(line.evidence.size(), 3u);
  EXPECT_EQ(line.evidence[0].of, "p_7");
  EXPECT_EQ(line.by["engine"], "template");
}

struct StatusCase {
  StageStatus status;
  const char* expected;
  const char* code;
};

TEST(Status, FollowsTheStages) {
  for (const StatusCase& c : {StatusCase{StageStatus::kDone, "complete", ""},
                              {StageStatus::kCached, "complete", ""},
                              {StageStatus::kUnavailable, "partial", "stage_unavailable"},
                              {StageStatus::kFailed, "partial", "stage_failed"},
                              {StageStatus::kCancelled, "partial", "stage_unavailable"}}) {
    Analysis analysis = sample_input().analysis;
    analysis.stages[2].status = c.status;
    settle_status(analysis);
    EXPECT_EQ(analysis.status, c.expected);
    EXPECT_EQ(analysis.degraded.has_value(), c.code[0] != 0);
    if (analysis.degraded) {
      EXPECT_EQ(analysis.degraded->code, c.code);
      EXPECT_THAT(analysis.degraded->missing, ElementsAre("objects"));
    }
  }
}

TEST(Status, IsFailedWhenNothingWasDone) {
  Analysis analysis = sample_input().analysis;
  for (Stage& stage : analysis.stages) stage.status = StageStatus::kFailed;
  settle_status(analysis);
  EXPECT_EQ(analysis.status, "failed");
}

TEST(Status, AStageNobodyAskedForDoesNotCount) {
  Analysis analysis = sample_input().analysis;
  analysis.features = {"shots"};
  analysis.stages[2].status = StageStatus::kFailed;
  settle_status(analysis);
  EXPECT_EQ(analysis.status, "complete");
}

TEST(WithoutPerson, LeavesNoTraceOfThePerson) {
  Document document = build_document(sample_input());
  document.captions = Json::array({{{"id", "c_1"}, {"people", {"p_7"}}}, {{"id", "c_2"}}});
  document.summaries.push_back({"short", "en", "Zoë & Co walks.", {}, {{"engine", "llm"}}});
  document.edits = {{"e_1", "name_person", "p_7", "Zoë & Co", "", "local"}};
  const std::string text = to_text(to_json(without_person(document, "p_7")));
  EXPECT_THAT(text, Not(HasSubstr("p_7")));
  EXPECT_THAT(text, Not(HasSubstr("Zoë")));
  EXPECT_THAT(text, HasSubstr("c_2"));
  EXPECT_THAT(text, HasSubstr("12 s, 3 shots"));
}

}  // namespace
}  // namespace prismvid::document

#include "document/check.h"

#include <gmock/gmock.h>

#include <functional>

#include "document/build.h"
#include "sample.h"

namespace prismvid::document {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Breach {
  const char* name;
  std::function<void(Document&)> make;
  const char* said;
};

/// Each breaks one rule of a sound document.
const std::vector<Breach>& breaches() {
  static const std::vector<Breach> all = {
      {"GapBetweenShots", [](Document& d) { d.shots[1].range.start_us += 1; }, "starts at"},
      {"FrameGap", [](Document& d) { d.shots[1].frame_start += 1; }, "ends at frame"},
      {"FirstShotLate", [](Document& d) { d.shots[0].range.start_us = 5; }, "the first shot"},
      {"LastShotEarly", [](Document& d) { d.shots[2].range.end_us -= 5; }, "the last shot"},
      {"DissolveAside",
       [](Document& d) {
         d.shots[1].transition.range = {{1, 2}};
       },
       "straddle"},
      {"NotTheMiddle",
       [](Document& d) {
         d.shots[1].transition.range = {{3'003'000, 4'100'000}};
       },
       "middle"},
      {"DissolveWithoutRange", [](Document& d) { d.shots[1].transition.range.reset(); },
       "no range"},
      {"KeyframeOutside", [](Document& d) { d.shots[0].keyframes[0].t_us = 9'000'000; }, "outside"},
      {"KeyframeWrongFrame", [](Document& d) { d.shots[0].keyframes[0].frame = 200; }, "is frame"},
      {"NoKeyframe", [](Document& d) { d.shots[0].keyframes.clear(); }, "no keyframe"},
      {"SceneSkipsShot", [](Document& d) { d.scenes[0].shots.pop_back(); }, "not a run"},
      {"ScenesEndEarly", [](Document& d) { d.scenes.pop_back(); }, "leave out"},
      {"SceneWrongRange", [](Document& d) { d.scenes[0].range.end_us -= 1; }, "its shots are"},
      {"UnknownScene", [](Document& d) { d.shots[0].scene = "sc_404"; }, "does not exist"},
      {"UnknownPerson", [](Document& d) { d.scenes[0].people = {"p_404"}; }, "does not exist"},
      {"UnknownShotOfInstance", [](Document& d) { d.objects[0].instances[0].shots = {"s_404"}; },
       "does not exist"},
      {"IdTwice", [](Document& d) { d.texts[1].id = d.texts[0].id; }, "used twice"},
      {"BadId", [](Document& d) { d.texts[1].id = "text 1"; }, "not of the form"},
      {"InstanceOutside", [](Document& d) { d.texts[1].instances[0].range.end_us = 13'000'000; },
       "outside"},
      {"EmptyInstance", [](Document& d) { d.texts[1].instances[0].range.end_us = 5'000'000; },
       "empty range"},
      {"WrongSeen", [](Document& d) { d.objects[0].seen_us += 1; }, "add up"},
      {"WrongRatio", [](Document& d) { d.people[0].seen_ratio = 0.9; }, "seen_ratio"},
      {"TooClose", [](Document& d) { d.objects[0].instances[1].range.start_us -= 1; },
       "closer than"},
      {"BestOutside", [](Document& d) { d.objects[0].instances[0].best->t_us = 0; },
       "best picture"},
      {"BoxOutside", [](Document& d) { d.objects[0].instances[0].best->box->x1 = 1.5f; }, "a box"},
      {"Confidence", [](Document& d) { d.labels[0].confidence = 1.5f; }, "within 0..1"},
      {"DegradedWithoutReason", [](Document& d) { d.analysis.degraded = Degraded{}; }, "degraded"},
      {"NotDegraded",
       [](Document& d) {
         d.analysis.stages[0].status = StageStatus::kFailed;
         d.analysis.stages[0].error = StageError{"x", "y", false};
       },
       "degraded"},
      {"FailedWithoutWhy",
       [](Document& d) {
         d.analysis.stages[0].status = StageStatus::kFailed;
         settle_status(d.analysis);
       },
       "without saying why"},
      {"WrongStatus", [](Document& d) { d.analysis.status = "partial"; }, "the status"},
      {"EvidenceOutside", [](Document& d) { d.summaries[0].evidence[0].range.end_us = 99'000'000; },
       "evidence"},
      {"EvidenceUnknown", [](Document& d) { d.summaries[0].evidence[0].of = "p_404"; },
       "does not exist"},
      {"NoLine", [](Document& d) { d.summaries.clear(); }, "no summary line"},
      {"CaptionWithoutEvidence",
       [](Document& d) {
         d.captions = Json::array({{{"id", "c_1"}}});
       },
       "no evidence"},
      {"ChaptersOverlap",
       [](Document& d) {
         d.chapters = Json::array({{{"id", "ch_1"}, {"start", 0}, {"end", 5}},
                                   {{"id", "ch_2"}, {"start", 4}, {"end", 6}}});
       },
       "overlaps"},
      {"RangeBeyondVideo", [](Document& d) { d.video.duration_us = 1; }, "ends after the video"},
  };
  return all;
}

class Rule : public ::testing::TestWithParam<Breach> {};

TEST_P(Rule, IsChecked) {
  Document document = build_document(sample_input());
  ASSERT_THAT(check_document(document), IsEmpty());
  GetParam().make(document);
  const auto said = check_document(document);
  EXPECT_THAT(said, ::testing::Contains(HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(Document, Rule, ::testing::ValuesIn(breaches()),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(Check, HoldsKeyframesAgainstTheFramesTimes) {
  const Document document = build_document(sample_input());
  auto exact = [](int64_t frame) { return std::optional(frame * 1001 * 1'000'000 / 30'000); };
  EXPECT_THAT(check_document(document, {.pts_of = exact}), IsEmpty());
  auto other = [&](int64_t frame) { return std::optional(*exact(frame) + 1); };
  EXPECT_EQ(check_document(document, {.pts_of = other}).size(), 4u);
}

}  // namespace
}  // namespace prismvid::document

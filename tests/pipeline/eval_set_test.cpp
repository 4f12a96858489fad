#include "pipeline/eval_set.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/synthetic_clip.h"

namespace prismvid::pipeline {
namespace {

class EvalSetTest : public testing::Test {
 protected:
  std::vector<EvalItem> read(const std::string& text) {
    const auto file = folder_.path() / "set.jsonl";
    std::ofstream(file) << text;
    return read_eval_set(file);
  }

  tests::TemporaryFolder folder_;
};

TEST_F(EvalSetTest, ReadsAPlainSet) {
  const auto items = read(
      R"({"video":"a.mp4","question":"Which?","answer":"The star.","kind":"order","shown":true,"evidence":[{"start":1,"end":2.5}]}
{"video":"b.mp4","question":"Which?","choices":["cat","dog"],"answer":"dog","start":3,"end":4}
)");
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0].answer, "The star.");
  EXPECT_EQ(items[0].evidence[0].end_us, 2'500'000);
  EXPECT_EQ(items[1].answer, "B");
  EXPECT_EQ(items[1].range->start_us, 3'000'000);
  EXPECT_EQ(items[1].id, "2");
}

TEST_F(EvalSetTest, ReadsVideoMmeMvBenchAndLvBench) {
  std::ofstream(folder_.path() / "fFjv93ACGo8.mp4");
  const auto mme = read(
      R"({"videoID":"fFjv93ACGo8","question_id":"001-1","task_type":"Counting Problem","question":"How many?","options":["A. One.","B. Two.","C. Three.","D. Four."],"answer":"C"})");
  EXPECT_EQ(mme[0].video.filename(), "fFjv93ACGo8.mp4");
  EXPECT_EQ(mme[0].choices[2], "Three.");
  EXPECT_EQ(mme[0].answer, "C");
  EXPECT_EQ(mme[0].kind, "Counting Problem");
  const auto mvbench = read(
      R"([{"video":"v.mp4","question":"What?","candidates":["left","right"],"answer":"right"}])");
  EXPECT_EQ(mvbench[0].answer, "B");
  const auto lvbench = read(
      R"({"key":"xyz","qa":[{"uid":"7","question":"What year?\n(A) 1636\n(B) 1366","answer":"B","question_type":["key information retrieval"]}]})");
  EXPECT_EQ(lvbench[0].question, "What year?");
  EXPECT_EQ(lvbench[0].choices, (std::vector<std::string>{"1636", "1366"}));
  EXPECT_EQ(lvbench[0].answer, "B");
}

TEST_F(EvalSetTest, NamesTheLineThatIsWrong) {
  try {
    read("{\"video\":\"a.mp4\",\"question\":\"?\",\"answer\":\"x\"}\nnot json\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("line 2"), std::string::npos) << error.what();
  }
  EXPECT_THROW(read("{\"video\":\"a.mp4\"}"), Error);
  EXPECT_THROW(read(""), Error);
}

TEST(Answers, AreReadAsLettersAndWords) {
  EXPECT_EQ(chosen_letter("B", 4), "B");
  EXPECT_EQ(chosen_letter("(C)", 4), "C");
  EXPECT_EQ(chosen_letter("The answer is D.", 4), "D");
  EXPECT_EQ(chosen_letter("E", 4), "");
  EXPECT_EQ(chosen_letter("none", 4), "");
  EXPECT_EQ(normalized_answer(" The star, moves RIGHT. "), "the star moves right");
}

}  // namespace
}  // namespace prismvid::pipeline

#include "search/document_moments.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "document/sample.h"

namespace prismvid::search {
namespace {

using document::Json;
using store::MomentRecord;

document::Document told() {
  document::Document document = document::build_document(document::sample_input());
  document.captions.push_back(
      Json{{"id", "c_1"}, {"start", 1.0}, {"end", 3.5}, {"text", "A man walks in."}});
  document.chapters.push_back(Json{{"id", "ch_1"},
                                   {"start", 0.0},
                                   {"end", 8.0},
                                   {"title", "Arrival"},
                                   {"summary", "He comes home."}});
  document.summaries.push_back({"line", "en", "A visit.", {}, Json::object()});
  document.story =
      Json{{"arcs",
            {{{"id", "arc_1"},
              {"beats", {{{"start", 2.0}, {"end", 4.0}, {"text", "He hesitates."}}}}}}}};
  document.highlights.push_back(Json{{"start", 5.0}, {"end", 6.0}, {"reason", "The embrace."}});
  document.scenes[0].title = "At the door";
  document.transcript = document::DocumentTranscript{
      "en", "sidecar", {{"s_1", {500'000, 900'000}, "Hello there", ""}}};
  return document;
}

const MomentRecord* find(const std::vector<MomentRecord>& moments, const std::string& kind,
                         const std::string& text) {
  const auto found = std::find_if(moments.begin(), moments.end(), [&](const MomentRecord& moment) {
    return moment.kind == kind && moment.text == text;
  });
  return found == moments.end() ? nullptr : &*found;
}

TEST(MomentsOf, HoldsEverythingThatTheDocumentSays) {
  const auto moments = moments_of(told());
  for (const auto& [kind, text] :
       std::vector<std::pair<const char*, const char*>>{{"caption", "A man walks in."},
                                                        {"chapter", "Arrival: He comes home."},
                                                        {"summary", "A visit."},
                                                        {"story", "He hesitates."},
                                                        {"highlight", "The embrace."},
                                                        {"scene", "At the door"},
                                                        {"speech", "Hello there"},
                                                        {"text", "你好，世界"},
                                                        {"label", "espresso"},
                                                        {"place", "office"},
                                                        {"object", "cup"}})
    EXPECT_TRUE(find(moments, kind, text)) << kind << ": " << text;
}

TEST(MomentsOf, AMomentHasItsTimeItsElementAndAKeyframe) {
  const auto document = told();
  const auto moments = moments_of(document);
  const MomentRecord* caption = find(moments, "caption", "A man walks in.");
  ASSERT_TRUE(caption);
  EXPECT_EQ(caption->range, (TimeRange{1'000'000, 3'500'000}));
  EXPECT_EQ(caption->of, "c_1");
  EXPECT_EQ(caption->terms, "a man walk in");
  EXPECT_EQ(caption->keyframe, document.shots[0].keyframes[0].id);
  EXPECT_EQ(find(moments, "summary", "A visit.")->range, document.analysis.range);
}

TEST(MomentsOf, APlaceInTimeWithoutLengthStillOverlapsItsTime) {
  document::Document document;
  document.texts.push_back({"t_1", "LIVE", "en", 1, TextRole::kOverlay, 1, {{{5, 5}, {}, 0, ""}}});
  const auto moments = moments_of(document);
  ASSERT_EQ(moments.size(), 1u);
  EXPECT_EQ(moments[0].range, (TimeRange{5, 6}));
}

TEST(MomentsOf, NothingIsThereForATextWithoutWords) {
  document::Document document;
  document.texts.push_back({"t_1", " -- ", "en", 1, TextRole::kOverlay, 1, {{{5, 9}, {}, 0, ""}}});
  EXPECT_TRUE(moments_of(document).empty());
}

}  // namespace
}  // namespace prismvid::search

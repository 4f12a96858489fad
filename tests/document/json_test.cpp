#include "document/json.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "sample.h"

namespace prismvid::document {
namespace {

TEST(Seconds, AreExactToTheMicrosecond) {
  EXPECT_EQ(to_text(seconds(0)), "0");
  EXPECT_EQ(to_text(seconds(1)), "0.000001");
  EXPECT_EQ(to_text(seconds(1'751'750)), "1.75175");
  EXPECT_EQ(to_text(seconds(62'562'500)), "62.5625");
  EXPECT_EQ(to_text(seconds(3'600'000'000)), "3600");
  EXPECT_EQ(to_text(seconds(86'399'999'999)), "86399.999999");
}

TEST(Seconds, ComeBackUnchangedAndWithAtMostSixDecimals) {
  // A step without common factors, through a week.
  for (int64_t t = 0; t < 604'800'000'000; t += 7'919'333'317 / 97) {
    const std::string text = to_text(seconds(t));
    ASSERT_EQ(microseconds(Json::parse(text)), t) << text;
    const size_t point = text.find('.');
    if (point != std::string::npos) {
      ASSERT_LE(text.size() - point - 1, 6u) << text;
    }
  }
}

TEST(Seconds, RefuseWhatIsNoTime) {
  EXPECT_THROW(microseconds(Json("1")), Error);
  EXPECT_THROW(microseconds(Json(1e300)), Error);
  EXPECT_THROW(microseconds(Json(nullptr)), Error);
}

TEST(ToText, ReplacesBrokenUtf8) {
  EXPECT_EQ(to_text(Json(std::string("a\xff z"))), "\"a\xEF\xBF\xBD z\"");
}

TEST(ToText, EscapesWhatJsonWantsEscaped) {
  for (int code = 1; code < 128; ++code) {
    const std::string text = std::string("a") + static_cast<char>(code) + "z";
    EXPECT_EQ(to_text(Json(text)), Json(text).dump()) << code;
  }
  EXPECT_EQ(to_text(Json("Größe")), "\"Größe\"");
}

TEST(ToText, WritesNoExponentsAndKeepsListsOfNumbersOnOneLine) {
  EXPECT_EQ(to_text({{"a", {0.00001, 0.5}}, {"b", Json::object()}}, 2),
            "{\n  \"a\": [0.00001, 0.5],\n  \"b\": {}\n}");
}

TEST(Document, ComesBackFromItsJsonUnchanged) {
  BuildInput input = sample_input();
  input.transcript = Transcript{"en", TranscriptOrigin::kSidecar, {{{1, 2'000'000}, "Hi", "Anna"}}};
  input.analysis.warnings = {{"truncated", "ends early"}};
  input.video.metadata = {{"title", "x"}};
  Document document = build_document(input);
  document.captions = Json::array({{{"id", "c_1"}}});
  document.edits = {{"e_1", "name_person", "p_7", "Zoë & Co", "2026-11-23T15:12:00Z", "local"}};
  document.artifacts = {{"tracks", "tracks.bin", 12, std::string(64, '3'), Json::object()}};
  document.embeddings = {{"dlib@1", "face", 128, "f32", "cosine", 1}};
  const Json json = to_json(document);
  EXPECT_EQ(to_json(from_json(json)), json);
  EXPECT_EQ(to_json(parse_document(to_text(json, 2))), json);
}

TEST(Document, SaysWhichKeyIsWrong) {
  Json json = to_json(build_document(sample_input()));
  json["shots"][1]["start"] = "soon";
  try {
    from_json(json);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("shots: start: "));
  }
}

TEST(Document, RefusesWhatIsNotOne) {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"schema":"prismvid.analysis/2"})",
                           R"({"schema":"prismvid.analysis/1","video":[]})"})
    EXPECT_THROW(parse_document(text), Error) << text;
}

TEST(Document, ReadersIgnoreUnknownKeys) {
  Json json = to_json(build_document(sample_input()));
  json["invented_later"] = 1;
  json["shots"][0]["invented_later"] = 1;
  EXPECT_NO_THROW(from_json(json));
}

TEST(LocatePicture, FindsTheStageAndTheBlob) {
  const Document document = build_document(sample_input());
  const auto place = locate_picture(document, document.people[0].thumb);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->cache_key, std::string(64, 'e'));
  EXPECT_EQ(place->blob, "thumb_0.jpg");
  EXPECT_FALSE(locate_picture(document, "nothing"));
  EXPECT_FALSE(locate_picture(document, "nothing/x.jpg"));
}

}  // namespace
}  // namespace prismvid::document

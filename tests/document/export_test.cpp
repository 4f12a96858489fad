#include "document/export.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "document/export_parts.h"
#include "document/json.h"
#include "sample.h"

namespace prismvid::document {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Document sample() {
  return build_document(sample_input());
}

Document with_transcript() {
  BuildInput input = sample_input();
  input.transcript = Transcript{"en",
                                TranscriptOrigin::kSidecar,
                                {{{500'000, 2'000'400}, "Fish & <chips> -->\n\nplease\r\n", "Anna"},
                                 {{3'600'000, 4'000'000}, "", ""}}};
  return build_document(input);
}

TEST(Vtt, HoldsTheTranscriptEscapedWithoutEmptyLines) {
  EXPECT_EQ(export_document(with_transcript(), Format::kVtt),
            "WEBVTT\n\nNOTE Transcript (sidecar), language en.\n\n"
            "00:00:00.500 --> 00:00:02.000\nAnna: Fish &amp; &lt;chips&gt; --&gt;\nplease\n");
}

TEST(Vtt, WithoutTranscriptHoldsTheSubtitlesInThePictureAndSaysSo) {
  EXPECT_EQ(export_document(sample(), Format::kVtt),
            "WEBVTT\n\nNOTE Subtitles read from the picture (OCR); the video has no transcript.\n\n"
            "00:00:01.001 --> 00:00:03.003\n你好，世界\n");
}

TEST(Srt, NumbersItsCues) {
  EXPECT_EQ(export_document(with_transcript(), Format::kSrt),
            "1\n00:00:00,500 --> 00:00:02,000\nAnna: Fish & <chips> -->\nplease\n");
}

TEST(Chapters, AreTheScenesWhereThereAreNoChapters) {
  EXPECT_EQ(export_document(sample(), Format::kChapters),
            "WEBVTT\n\n1\n00:00:00.000 --> 00:00:08.008\nScene 1: office\n\n"
            "2\n00:00:08.008 --> 00:00:12.012\nScene 2\n");
  Document document = sample();
  document.chapters = Json::array({{{"start", 0}, {"end", 12.012}, {"title", "All <of> it"}}});
  EXPECT_EQ(export_document(document, Format::kChapters),
            "WEBVTT\n\n1\n00:00:00.000 --> 00:00:12.012\nAll &lt;of&gt; it\n");
}

TEST(Ffmetadata, EscapesItsSpecialCharacters) {
  Document document = sample();
  document.video.name = "a=b;c#d\\e\nf";
  document.chapters = Json::array({{{"start", 0}, {"end", 1.5}, {"title", "x=1"}}});
  EXPECT_EQ(export_document(document, Format::kFfmetadata),
            ";FFMETADATA1\ntitle=a\\=b\\;c\\#d\\\\e\\\nf\n\n"
            "[CHAPTER]\nTIMEBASE=1/1000000\nSTART=0\nEND=1500000\ntitle=x\\=1\n");
}

TEST(Csv, HasOneRowForEachInstanceQuotedByRfc4180) {
  const std::string csv = export_document(sample(), Format::kCsv);
  EXPECT_THAT(csv, HasSubstr("type,id,label,start,end,confidence,x0,y0,x1,y1,shot\r\n"));
  EXPECT_THAT(csv, HasSubstr("object,o_dddddd0,cup,1,3,0.83,0.11,0.2,0.31,0.4,s_bbbbbb0\r\n"));
  EXPECT_THAT(csv, HasSubstr("person,p_7,Zoë & Co,4.1,7,0.74,0.3,0.2,0.5,0.55,s_bbbbbb1\r\n"));
  EXPECT_THAT(csv, HasSubstr("text,x_ffffff0,\"LIVE <b>\"\"now\"\"</b>,\nyes\",5,9,0.97,"));
}

struct TimecodeCase {
  int64_t frame;
  Rational rate;
  const char* expected;
};

// Drop-frame values as in SMPTE ST 12-1: two numbers left out each minute but the tenth.
TEST(Timecode, CountsFramesDroppingNumbersOnlyWhereItMust) {
  for (const TimecodeCase& c : std::vector<TimecodeCase>{{0, {25, 1}, "00:00:00:00"},
                                                         {25 * 3600 + 24, {25, 1}, "01:00:00:24"},
                                                         {24 * 60, {24000, 1001}, "00:01:00:00"},
                                                         {1799, {30000, 1001}, "00:00:59;29"},
                                                         {1800, {30000, 1001}, "00:01:00;02"},
                                                         {3597, {30000, 1001}, "00:01:59;29"},
                                                         {3598, {30000, 1001}, "00:02:00;02"},
                                                         {17981, {30000, 1001}, "00:09:59;29"},
                                                         {17982, {30000, 1001}, "00:10:00;00"},
                                                         {107892, {30000, 1001}, "01:00:00;00"},
                                                         {3600, {60000, 1001}, "00:01:00;04"},
                                                         {35964, {60000, 1001}, "00:10:00;00"},
                                                         {60, {60, 1}, "00:00:01:00"}})
    EXPECT_EQ(timecode(c.frame, c.rate), c.expected) << c.frame;
}

TEST(Edl, CutsTheSourceAtEachShot) {
  EXPECT_EQ(export_document(sample(), Format::kEdl),
            "TITLE: Tom & \"Jerry\" <draft>, take 1.mp4\r\nFCM: DROP FRAME\r\n\r\n"
            "001  AX       V     C        00:00:00;00 00:00:04;00 00:00:00;00 00:00:04;00\r\n"
            "* FROM CLIP NAME: Tom & \"Jerry\" <draft>, take 1.mp4\r\n\r\n"
            "002  AX       V     C        00:00:04;00 00:00:08;00 00:00:04;00 00:00:08;00\r\n"
            "* FROM CLIP NAME: Tom & \"Jerry\" <draft>, take 1.mp4\r\n"
            "* COMMENT: dissolve from 00:00:03;15 to 00:00:04;15\r\n\r\n"
            "003  AX       V     C        00:00:08;00 00:00:12;00 00:00:08;00 00:00:12;00\r\n"
            "* FROM CLIP NAME: Tom & \"Jerry\" <draft>, take 1.mp4\r\n");
}

TEST(Edl, NeedsAFrameRate) {
  Document document = sample();
  document.video.picture.frame_rate = {0, 1};
  EXPECT_THROW(export_document(document, Format::kEdl), Error);
  EXPECT_THROW(export_document(document, Format::kOtio), Error);
}

TEST(Edl, AVariableRateIsConformedByTime) {
  Document document = sample();
  document.video.picture.variable_frame_rate = true;
  document.video.picture.frame_rate = {25, 1};
  EXPECT_THAT(export_document(document, Format::kEdl),
              HasSubstr("002  AX       V     C        00:00:04:00 00:00:08:00"));
}

TEST(Otio, HasAClipForEachShotInFrames) {
  ExportContext context;
  context.media_uri = "file:///x";
  const Json json = Json::parse(export_document(sample(), Format::kOtio, context));
  EXPECT_EQ(json["OTIO_SCHEMA"], "Timeline.1");
  const Json& clips = json["tracks"]["children"][0]["children"];
  ASSERT_EQ(clips.size(), 3u);
  EXPECT_EQ(clips[1]["OTIO_SCHEMA"], "Clip.2");
  EXPECT_EQ(clips[1]["source_range"]["start_time"]["value"], 120);
  EXPECT_EQ(clips[1]["source_range"]["duration"]["value"], 120);
  EXPECT_EQ(clips[1]["media_references"]["DEFAULT_MEDIA"]["target_url"], "file:///x");
}

TEST(Html, EscapesEverythingFromTheVideo) {
  BuildInput input = sample_input();
  const std::string bad = "<script>alert(\"x\")</script>";
  input.video.name = input.texts[0].text = input.identities[0].name = bad;
  input.objects[0].label = input.shot_labels[0][0].name = bad;
  input.analysis.warnings = {{"w", bad}};
  input.analysis.stages[1].status = StageStatus::kFailed;
  input.analysis.stages[1].error = StageError{"x", bad, false};
  input.transcript = Transcript{bad, TranscriptOrigin::kSidecar, {{{0, 1'000'000}, bad, bad}}};
  const std::string html = export_document(build_document(input), Format::kHtml);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"));
}

TEST(Html, EmbedsItsPicturesAndLoadsNothing) {
  ExportContext context;
  std::vector<std::string> asked;
  context.picture = [&](const std::string& href) {
    asked.push_back(href);
    return std::optional(std::vector<uint8_t>{0xff, 0xd8, 0xff});
  };
  const std::string html = export_document(sample(), Format::kHtml, context);
  EXPECT_THAT(html, HasSubstr("src=\"data:image/jpeg;base64,/9j/\""));
  EXPECT_THAT(asked, ::testing::UnorderedElementsAre("shots/keyframe_0.jpg", "shots/keyframe_2.jpg",
                                                     "shots/keyframe_3.jpg", "faces/thumb_0.jpg",
                                                     "objects/thumb_0.jpg"));
  for (const char* outside : {"http:", "https:", "<link", "src=\"/", "@import", "url("})
    EXPECT_THAT(html, Not(HasSubstr(outside)));
}

TEST(Html, SaysWhyAStageIsMissing) {
  BuildInput input = sample_input();
  input.objects.clear();
  input.analysis.stages[2].status = StageStatus::kUnavailable;
  input.analysis.stages[2].error = StageError{"model_missing", "No detector & no way", false};
  const std::string html = export_document(build_document(input), Format::kHtml);
  EXPECT_THAT(html, HasSubstr("This analysis is not complete."));
  EXPECT_THAT(html, HasSubstr("unavailable. No detector &amp; no way"));
}

TEST(Formats, AreKnownByName) {
  EXPECT_EQ(parse_format("otio"), Format::kOtio);
  try {
    parse_format("pdf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("json, html, vtt, srt, chapters"));
  }
}

TEST(Json, IsTheDocument) {
  EXPECT_EQ(Json::parse(export_document(sample(), Format::kJson)), to_json(sample()));
}

}  // namespace
}  // namespace prismvid::document

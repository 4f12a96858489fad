#include "media/subtitles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "media/subtitle_text.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> texts(const std::vector<TranscriptSegment>& segments) {
  std::vector<std::string> result;
  for (const auto& s : segments) result.push_back(s.text);
  return result;
}

constexpr char kSrt[] =
    "1\n00:00:01,000 --> 00:00:02,500\nHello <i>there</i>\nsecond line\n\n"
    "2\n00:01:03,250 --> 00:01:04,000\n{\\an8}Ünïcode & 中文\n";

TEST(Subtitles, ReadsSubRip) {
  const auto segments = parse_subtitles(kSrt);
  EXPECT_THAT(texts(segments), ElementsAre("Hello there\nsecond line", "Ünïcode & 中文"));
  EXPECT_EQ(segments[0].range, (TimeRange{1000000, 2500000}));
  EXPECT_EQ(segments[1].range, (TimeRange{63250000, 64000000}));
}

TEST(Subtitles, ReadsWebVttWithHeadersNotesSettingsEntitiesAndSpeakers) {
  const auto segments = parse_subtitles(
      "WEBVTT - a title\nKind: captions\n\nNOTE\nnot --> this\n\nSTYLE\n::cue { color: red }\n\n"
      "cue-1\n00:01.500 --> 00:02.000 align:start position:10%\n<v.loud Anna Lee>Fish &amp; "
      "<00:01.700><c.x>chips</c> &lt;3\n\n"
      "01:00:00.000 --> 01:00:01.000\na < b\n");
  EXPECT_THAT(texts(segments), ElementsAre("Fish & chips <3", "a < b"));
  EXPECT_EQ(segments[0].range, (TimeRange{1500000, 2000000}));
  EXPECT_EQ(segments[0].speaker, "Anna Lee");
  EXPECT_EQ(segments[1].range.start_us, 3600000000);
}

TEST(Subtitles, EveryEncodingAndLineEndGivesTheSameText) {
  const std::u16string wide = u"1\r\n00:00:01,000 --> 00:00:02,000\r\nGrüße 𝄞\r\n\r\n";
  std::string little = "\xFF\xFE", big = "\xFE\xFF";
  for (const char16_t c : wide) {
    little += {static_cast<char>(c & 0xFF), static_cast<char>(c >> 8)};
    big += {static_cast<char>(c >> 8), static_cast<char>(c & 0xFF)};
  }
  EXPECT_THAT(texts(parse_subtitles(little)), ElementsAre("Grüße 𝄞"));
  EXPECT_THAT(texts(parse_subtitles(big)), ElementsAre("Grüße 𝄞"));
  EXPECT_THAT(texts(parse_subtitles("\xEF\xBB\xBF"
                                    "1\r00:00:01,000 --> 00:00:02,000\rGr\xC3\xBC\xC3\x9F"
                                    "e 𝄞\r")),
              ElementsAre("Grüße 𝄞"));
  EXPECT_THAT(texts(parse_subtitles("00:00:01,000 --> 00:00:02,000\nGr\xFC\xDF"
                                    "e \x80 \x93ok\x94")),
              ElementsAre("Grüße € “ok”"));
}

TEST(Subtitles, KeepsOverlapsAndSortsByStart) {
  const auto segments = parse_subtitles(
      "00:00:05,000 --> 00:00:09,000\nlate\n\n00:00:01,000 --> 00:00:07,000\nearly\n\n00:00:01,000 "
      "--> 00:00:02,000\nsame\n");
  EXPECT_THAT(texts(segments), ElementsAre("early", "same", "late"));
}

TEST(Subtitles, LeavesOutWhatMakesNoSense) {
  EXPECT_THAT(parse_subtitles(""), IsEmpty());
  EXPECT_THAT(parse_subtitles("just some text\n\nand more"), IsEmpty());
  EXPECT_THAT(parse_subtitles("00:00:05,000 --> 00:00:01,000\nbackwards\n"), IsEmpty());
  EXPECT_THAT(parse_subtitles("999999999:99:99,000 --> 999999999:99:99,999\nfar\n"), IsEmpty());
  EXPECT_THAT(parse_subtitles("00:00:01,000 --> 00:00:02,000\n   \n<i></i>\n"), IsEmpty());
  EXPECT_THAT(parse_subtitles(std::string(1000, '<') + "\n00:00:01 -->"), IsEmpty());
}

TEST(Subtitles, FindsTheNextCueWhereTheBlankLineWasForgotten) {
  EXPECT_THAT(texts(parse_subtitles("1\n0:00:01,0 --> 0:00:02,0\none\n2\n0:00:03,0 --> "
                                    "0:00:04,0\ntwo\n0:00:05,0 --> 0:00:06,0\nthree")),
              ElementsAre("one", "two", "three"));
}

void write(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

constexpr char kVideo[] =
    "-f lavfi -i testsrc2=size=64x36:rate=25:duration=2 -c:v libx264 -preset ultrafast";

TEST(Transcript, ComesFromTheSidecarWithTheFewestTags) {
  const tests::TemporaryFolder folder;
  const fs::path video = folder.path() / "my film.mp4";
  fs::copy(tests::synthetic_clip(kVideo, "plain.mp4"), video);
  EXPECT_FALSE(read_transcript(video));
  write(folder.path() / "my film two.srt", kSrt);
  EXPECT_FALSE(read_transcript(video));
  write(folder.path() / "my film.de-AT.forced.VTT", "WEBVTT\n\n00:01.000 --> 00:02.000\nforced\n");
  EXPECT_EQ(read_transcript(video)->language, "de-at");
  write(folder.path() / "my film.en.srt", kSrt);
  EXPECT_EQ(read_transcript(video)->language, "en");
  write(folder.path() / "my film.srt", "empty");
  EXPECT_EQ(read_transcript(video)->segments.size(), 2u);
  write(folder.path() / "my film.srt", kSrt);
  EXPECT_EQ(read_transcript(video)->language, "und");
  EXPECT_EQ(read_transcript(video)->origin, TranscriptOrigin::kSidecar);
}

class EmbeddedTranscript : public testing::TestWithParam<std::pair<const char*, const char*>> {};

INSTANTIATE_TEST_SUITE_P(Media, EmbeddedTranscript,
                         testing::Values(std::pair{"a.mkv", "srt"}, std::pair{"a.mkv", "ass"},
                                         std::pair{"a.mp4", "mov_text"},
                                         std::pair{"a.webm", "webvtt"}));

TEST_P(EmbeddedTranscript, EqualsTheFileItWasMadeFrom) {
  const tests::TemporaryFolder folder;
  const auto [name, codec] = GetParam();
  write(folder.path() / "in.srt",
        "1\n00:00:00,500 --> 00:00:01,000\n<b>Grüße</b>, all\nof you\n\n2\n00:00:01,250 --> "
        "00:00:01,750\n中文\n");
  const fs::path video = folder.path() / name;
  const std::string video_codec = fs::path(name).extension() == ".webm"
                                      ? "libvpx-vp9 -deadline realtime -cpu-used 8"
                                      : "libx264";
  tests::run_command(
      "ffmpeg -v error -nostdin -f lavfi -i testsrc2=size=64x36:rate=25:duration=2 -i '" +
      (folder.path() / "in.srt").string() + "' -map 0 -map 1 -metadata:s:s:0 language=ger -c:v " +
      video_codec + " -c:s " + codec + " '" + video.string() + "'");
  const auto transcript = read_transcript(video);
  ASSERT_TRUE(transcript);
  EXPECT_EQ(transcript->origin, TranscriptOrigin::kEmbeddedSubtitles);
  EXPECT_EQ(transcript->language, "de");
  EXPECT_THAT(texts(transcript->segments), ElementsAre("Grüße, all\nof you", "中文"));
  EXPECT_EQ(transcript->segments[0].range, (TimeRange{500000, 1000000}));
  EXPECT_EQ(transcript->segments[1].range, (TimeRange{1250000, 1750000}));
}

}  // namespace
}  // namespace prismvid::media

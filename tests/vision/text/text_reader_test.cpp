#include "vision/text/text_reader.h"

#include <gmock/gmock.h>

#include <sstream>

#include "support/synthetic_clip.h"
#include "vision/text/read_clip.h"

// Clips of moving pictures at 25 frames a second with text whose first and last frames are known.
namespace prismvid::tests {
namespace {

constexpr int kFrameUs = 40'000;
constexpr const char* kLatin = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
constexpr const char* kHan = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc";

struct Caption {
  std::string text;
  int first_frame;
  int end_frame;  // exclusive
  std::string y = "h-48";
  const char* font = kLatin;
  std::string alpha = "1";
};

std::filesystem::path clip_with(const std::vector<Caption>& captions, int frames,
                                const std::string& name) {
  std::ostringstream filter;
  filter << "gradients=size=640x360:rate=25:seed=5:speed=0.05:nb_colors=5:c0=0x603020:c1=0x2080a0:"
            "c2=0xa06080:c3=0x408040:c4=0x303090,format=yuv420p,noise=alls=14:allf=t:all_"
            "seed=3,"
            "trim=end_frame="
         << frames;
  for (const Caption& caption : captions)
    filter << ",drawtext=fontfile=" << caption.font << ":text='" << caption.text
           << "':fontsize=24:fontcolor=white:borderw=2:x=(w-text_w)/2:y=" << caption.y << ":alpha='"
           << caption.alpha << "':enable='between(n," << caption.first_frame << ","
           << caption.end_frame - 1 << ")'";
  return synthetic_clip(
      "-f lavfi -i \"" + filter.str() + "\" -c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p",
      name);
}

class TextReaderTest : public testing::Test {
 protected:
  static ClipText read(const std::vector<Caption>& captions, int frames, const std::string& name) {
    static const auto engine = vision::make_text_engine(vision::ModelRegistry::standard());
    return read_clip(clip_with(captions, frames, name), *engine);
  }
  static void expect_track(const ClipText& clip, const Caption& caption) {
    for (const TextTrack& track : clip.tracks) {
      if (track.text != caption.text) continue;
      EXPECT_EQ(track.range.start_us / kFrameUs, caption.first_frame) << caption.text;
      EXPECT_EQ(track.range.end_us / kFrameUs, caption.end_frame) << caption.text;
      return;
    }
    ADD_FAILURE() << "no track says '" << caption.text << "'";
  }
  static void expect_tracks(const ClipText& clip, const std::vector<Caption>& captions) {
    EXPECT_EQ(clip.tracks.size(), captions.size());
    for (const TextTrack& track : clip.tracks) SCOPED_TRACE(track.text);
    for (const Caption& caption : captions) expect_track(clip, caption);
  }
};

TEST_F(TextReaderTest, FindsEachSubtitleOnceWithItsFirstAndLastFrame) {
  const std::vector<Caption> captions{{"Where have you been all day", 7, 48},
                                      {"Ich war im Museum für Völkerkunde", 61, 103},
                                      {"我们明天早上出发", 117, 160, "h-48", kHan}};
  const ClipText clip = read(captions, 175, "subtitles.mp4");
  expect_tracks(clip, captions);
  for (const TextTrack& track : clip.tracks)
    EXPECT_EQ(track.role, TextRole::kSubtitle) << track.text;
}

TEST_F(TextReaderTest, FindsTheFrameInWhichOneSubtitleFollowsAnother) {
  const std::vector<Caption> captions{{"The train leaves at nine", 5, 44},
                                      {"Then we should hurry up", 44, 87},
                                      {"Do not forget the tickets", 87, 120}};
  expect_tracks(read(captions, 130, "succession.mp4"), captions);
}

TEST_F(TextReaderTest, KeepsNearlyIdenticalLinesApart) {
  const std::vector<Caption> captions{{"Round 1 of the final match", 4, 53},
                                      {"Round 2 of the final match", 53, 101}};
  expect_tracks(read(captions, 110, "near.mp4"), captions);
}

TEST_F(TextReaderTest, TakesALongSubtitleForOneTrackAndReadsItFewTimes) {
  const std::vector<Caption> captions{{"This one stays for a while", 10, 190}};
  const ClipText clip = read(captions, 200, "long.mp4");
  expect_tracks(clip, captions);
  EXPECT_LE(clip.stats.recognitions, 8);
  // Once a second, and when it comes and goes.
  EXPECT_EQ(clip.stats.samples, 16);
  EXPECT_LE(clip.stats.detections, 10);
}

TEST_F(TextReaderTest, FadesBeginAndEndAtHalfTheirStrength) {
  // 20 frames in from frame 10, 20 frames out to frame 110.
  const Caption caption{"Slowly it comes and goes",        10, 110, "h-48", kLatin,
                        "min(1,min((n-10)/20,(110-n)/20))"};
  const ClipText clip = read({caption}, 120, "fade.mp4");
  ASSERT_EQ(clip.tracks.size(), 1u);
  EXPECT_NEAR(static_cast<double>(clip.tracks[0].range.start_us) / kFrameUs, 20, 3);
  EXPECT_NEAR(static_cast<double>(clip.tracks[0].range.end_us) / kFrameUs, 100, 3);
}

TEST_F(TextReaderTest, LooksForTextOnceWhileThePictureStands) {
  static const auto engine = vision::make_text_engine(vision::ModelRegistry::standard());
  const auto clip = synthetic_clip(
      std::string("-f lavfi -i \"color=gray:size=640x360:rate=25:duration=4,drawtext=fontfile=") +
          kLatin +
          ":text='Please stand by':fontsize=36:x=200:y=150\" -c:v libx264 -pix_fmt yuv420p",
      "still.mp4");
  const ClipText text = read_clip(clip, *engine);
  ASSERT_EQ(text.tracks.size(), 1u);
  EXPECT_EQ(text.tracks[0].text, "Please stand by");
  EXPECT_EQ(text.tracks[0].range, (TimeRange{0, 4'000'000}));
  EXPECT_EQ(text.stats.samples, 8);
  EXPECT_EQ(text.stats.detections, 1);
}

}  // namespace
}  // namespace prismvid::tests

// Every container and codec: times against ffprobe, pictures against the ffmpeg program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clip_expectations.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

struct Format {
  const char* name;
  const char* file;
  const char* arguments;
  const char* container;
  const char* codec;
};

constexpr char kSource[] = "-f lavfi -i testsrc2=size=320x180:rate=30000/1001:duration=2 ";

const Format kFormats[] = {
    {"H264Mp4", "a.mp4", "-c:v libx264 -preset veryfast -g 20 -bf 3", "mp4", "h264"},
    {"H264Mov", "a.mov", "-c:v libx264 -preset veryfast -bf 2", "mov", "h264"},
    {"H264Mkv", "a.mkv", "-c:v libx264 -preset veryfast -bf 2", "matroska", "h264"},
    {"H264Avi", "a.avi", "-c:v libx264 -preset veryfast -bf 0", "avi", "h264"},
    {"H264Ts", "a.ts", "-c:v libx264 -preset veryfast -bf 2", "mpegts", "h264"},
    {"H264TenBitMkv", "a.mkv", "-c:v libx264 -preset veryfast -pix_fmt yuv420p10le", "matroska",
     "h264"},
    {"H264OpenGopTs", "a.ts", "-c:v libx264 -preset veryfast -g 15 -bf 3 -x264-params open-gop=1",
     "mpegts", "h264"},
    {"H264Interlaced", "a.mp4", "-vf interlace -c:v libx264 -preset veryfast -flags +ildct+ilme",
     "mp4", "h264"},
    {"H264Yuv444", "a.mp4", "-c:v libx264 -preset veryfast -pix_fmt yuv444p", "mp4", "h264"},
    {"HevcMp4", "a.mp4", "-c:v libx265 -preset ultrafast -x265-params log-level=none", "mp4",
     "hevc"},
    {"HevcTenBitMkv", "a.mkv",
     "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p10le", "matroska",
     "hevc"},
    {"Vp9Webm", "a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", "webm", "vp9"},
    {"Vp9AltrefWebm", "a.webm",
     "-c:v libvpx-vp9 -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16 -b:v 200k", "webm", "vp9"},
    {"Av1Mp4", "a.mp4", "-c:v libsvtav1 -preset 12", "mp4", "av1"},
    {"Av1TenBitMkv", "a.mkv", "-c:v libsvtav1 -preset 12 -pix_fmt yuv420p10le", "matroska", "av1"},
    {"Mpeg2Ts", "a.ts", "-c:v mpeg2video -b:v 4M -bf 2", "mpegts", "mpeg2video"},
    {"Mpeg2ProgramStream", "a.mpg", "-c:v mpeg2video -b:v 4M -bf 2", "mpeg", "mpeg2video"},
    {"Mpeg4Avi", "a.avi", "-c:v mpeg4 -b:v 2M -bf 0", "avi", "mpeg4"},
    {"MjpegFullRangeMov", "a.mov", "-c:v mjpeg -q:v 3 -pix_fmt yuvj422p", "mov", "mjpeg"},
    {"VariableRateMkv", "a.mkv",
     "-vf select='not(mod(n\\,3))+gt(n\\,30)' -vsync vfr -c:v libx264 -preset veryfast", "matroska",
     "h264"},
    {"StartsAtFiveSecondsTs", "a.ts", "-c:v libx264 -preset veryfast -output_ts_offset 5", "mpegts",
     "h264"},
    {"StartsLateMkv", "a.mkv", "-c:v libx264 -preset veryfast -output_ts_offset 2.5", "matroska",
     "h264"},
};

class EveryFormat : public testing::TestWithParam<Format> {
 protected:
  std::filesystem::path clip() const {
    return tests::synthetic_clip(std::string(kSource) + GetParam().arguments, GetParam().file);
  }
};

INSTANTIATE_TEST_SUITE_P(Media, EveryFormat, testing::ValuesIn(kFormats),
                         [](const auto& format) { return std::string(format.param.name); });

TEST_P(EveryFormat, TimesEqualThoseOfFfprobe) {
  const auto probed = probe_frames(clip());
  const auto source = open_video(clip());
  EXPECT_EQ(source->info().container, GetParam().container);
  EXPECT_EQ(source->info().codec, GetParam().codec);
  EXPECT_EQ(source->info().display_size, (Size{320, 180}));
  EXPECT_EQ(source->info().time_base, probed.time_base);
  EXPECT_EQ(source->info().start_pts, probed.timestamps[0]);
  const auto frames = read_all(*source);
  ASSERT_EQ(frames.size(), probed.timestamps.size());
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i]->index, static_cast<int64_t>(i));
    EXPECT_EQ(frames[i]->pts_us, probed.pts_us(i)) << i;
    if (i > 0) {
      EXPECT_EQ(frames[i - 1]->pts_us + frames[i - 1]->duration_us, frames[i]->pts_us);
    }
  }
  EXPECT_GT(frames.back()->duration_us, 0);
  EXPECT_EQ(source->info().frames, static_cast<int64_t>(frames.size()));
  EXPECT_EQ(source->info().duration_us, frames.back()->pts_us + frames.back()->duration_us);
  EXPECT_THAT(source->warnings(), testing::IsEmpty());
}

TEST_P(EveryFormat, PicturesEqualThoseOfFfmpeg) {
  const auto source = open_video(clip());
  const auto frames = read_all(*source);
  const size_t index = frames.size() - 7;
  const auto expected = [&](Size size, int channels) {
    return ffmpeg_picture(clip(), static_cast<int64_t>(index), size, channels);
  };
  EXPECT_LT(mean_difference(frames[index]->rgb({320, 180}), expected({320, 180}, 3)), 1.0);
  EXPECT_LT(mean_difference(frames[index]->rgb({64, 36}), expected({64, 36}, 3)), 1.5);
  EXPECT_LT(mean_difference(frames[index]->luma({160, 90}), expected({160, 90}, 1)), 1.0);
}

TEST_P(EveryFormat, ARangeGivesTheSameFramesAsTheWholeFile) {
  const auto whole = read_all(*open_video(clip()));
  const TimeRange range{700000, 1300000};
  const auto part = read_all(*open_video(clip(), {.range = range}));
  size_t next = 0;
  for (const auto& frame : whole) {
    if (!range.contains(frame->pts_us)) continue;
    ASSERT_LT(next, part.size());
    EXPECT_EQ(part[next]->index, frame->index);
    EXPECT_EQ(part[next]->pts_us, frame->pts_us);
    EXPECT_EQ(part[next]->duration_us, frame->duration_us);
    EXPECT_EQ(mean_difference(part[next]->luma({80, 45}), frame->luma({80, 45})), 0);
    ++next;
  }
  EXPECT_EQ(next, part.size());
}

}  // namespace
}  // namespace prismvid::media

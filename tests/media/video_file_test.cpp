#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "clip_expectations.h"
#include "core/error.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

const std::string kTwoSeconds = "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 ";

void expect_error(const fs::path& path, ErrorCode code, const std::string& part,
                  const OpenOptions& options = {}) {
  try {
    read_all(*open_video(path, options));
    ADD_FAILURE() << path << " could be read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(VideoFile, MissingFileIsNotFound) {
  expect_error("/nowhere/film.mp4", ErrorCode::kNotFound, "/nowhere/film.mp4");
}

TEST(VideoFile, DirectoryAndUnreadableFilesAreUnreadable) {
  const tests::TemporaryFolder folder;
  expect_error(folder.path(), ErrorCode::kUnreadable, "directory");
  expect_error("/dev/null", ErrorCode::kUnreadable, "regular");
  write(folder.path() / "secret.mp4", "x");
  fs::permissions(folder.path() / "secret.mp4", fs::perms::none);
  if (::geteuid() != 0)
    expect_error(folder.path() / "secret.mp4", ErrorCode::kUnreadable, "ermission");
}

TEST(VideoFile, WhatIsNoVideoSaysWhatItIs) {
  const tests::TemporaryFolder folder;
  const auto file = [&](const char* name, std::string_view bytes) {
    write(folder.path() / name, bytes);
    return folder.path() / name;
  };
  expect_error(file("empty.mp4", ""), ErrorCode::kNotVideo, "0 bytes");
  expect_error(file("text.mp4", std::string(5000, 'a')), ErrorCode::kNotVideo,
               "no known video container");
  expect_error(file("notes.txt", "some notes\n"), ErrorCode::kNotVideo, "no known video container");
  expect_error(file("list.m3u8", "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), ErrorCode::kNotVideo,
               "no known video container");
  expect_error(file("list.ffconcat", "ffconcat version 1.0\nfile a.mp4\n"), ErrorCode::kNotVideo,
               "no known video container");
  expect_error(
      tests::synthetic_clip("-f lavfi -i testsrc2=size=64x64:duration=1 -frames:v 1", "a.png"),
      ErrorCode::kNotVideo, "no known");
  expect_error(tests::synthetic_clip("-f lavfi -i sine=duration=1", "a.m4a"), ErrorCode::kNotVideo,
               "only audio (aac)");
  expect_error(tests::synthetic_clip("-f lavfi -i sine=duration=1", "a.wav"), ErrorCode::kNotVideo,
               "only audio (pcm_s16le)");
}

TEST(VideoFile, CoverPictureOfASongIsNoVideo) {
  const auto song = tests::synthetic_clip(
      "-f lavfi -i sine=duration=1 -f lavfi -i testsrc2=size=64x64:duration=1 -map 0 -map 1 "
      "-frames:v 1 -c:v mjpeg -disposition:v attached_pic",
      "song.m4a");
  expect_error(song, ErrorCode::kNotVideo, "cover picture");
}

TEST(VideoFile, NamesThatLookLikeAddressesAreFiles) {
  const tests::TemporaryFolder folder;
  const fs::path odd = folder.path() / "http:a b|'c%d.mp4";
  fs::copy(tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "a.mp4"), odd);
  EXPECT_EQ(read_all(*open_video(odd)).size(), 50u);
}

TEST(VideoFile, Mp4WithoutItsIndexSaysSo) {
  const tests::TemporaryFolder folder;
  std::string bytes =
      bytes_of(tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "a.mp4"));
  bytes.resize(bytes.find("moov"));
  write(folder.path() / "a.mp4", bytes);
  expect_error(folder.path() / "a.mp4", ErrorCode::kNotVideo, "index (moov atom) is missing");
}

struct Truncation {
  const char* name;
  const char* arguments;
  size_t untold;  // frames that may be missing without a word: a stream that ends whole looks so
};

class TruncatedAnywhere : public testing::TestWithParam<Truncation> {};

INSTANTIATE_TEST_SUITE_P(
    Media, TruncatedAnywhere,
    testing::Values(
        Truncation{"front.mp4", "-c:v libx264 -preset ultrafast -g 12 -movflags +faststart", 0},
        Truncation{"fragments.mp4", "-c:v libx264 -g 12 -movflags frag_keyframe+empty_moov", 26},
        Truncation{"a.mkv", "-c:v libx264 -preset ultrafast -g 12", 0},
        Truncation{"a.ts", "-c:v mpeg2video -g 12", 1000},
        Truncation{"a.avi", "-c:v mpeg4 -g 12", 0},
        Truncation{"a.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", 0}),
    [](const auto& it) {
      std::string name = it.param.name;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

// Either a clear error, or frames of the whole file, those well before the cut unchanged.
TEST_P(TruncatedAnywhere, GivesWhatDecodesOrSaysWhyNothingDoes) {
  const fs::path whole = tests::synthetic_clip(kTwoSeconds + GetParam().arguments, GetParam().name);
  const auto expected = read_all(*open_video(whole));
  const std::string bytes = bytes_of(whole);
  const tests::TemporaryFolder folder;
  const fs::path cut = folder.path() / GetParam().name;
  size_t decoded_most = 0;
  for (size_t i = 1; i <= 60; ++i) {
    SCOPED_TRACE(bytes.size() * i / 61);
    write(cut, std::string_view(bytes).substr(0, bytes.size() * i / 61));
    try {
      const auto source = open_video(cut, {.threads = 1});
      const auto frames = read_all(*source);
      ASSERT_LE(frames.size(), expected.size());
      decoded_most = std::max(decoded_most, frames.size());
      // Pictures that were to come between the last ones may be cut away, so frames may be missing
      // but none is new.
      size_t known = 0;
      for (const auto& frame : frames) {
        while (known < expected.size() && expected[known]->pts_us != frame->pts_us) ++known;
        ASSERT_LT(known, expected.size()) << frame->pts_us;
        if (known + 8 < frames.size()) {
          ASSERT_EQ(mean_difference(frame->luma({80, 45}), expected[known]->luma({80, 45})), 0)
              << known;
        }
      }
      if (frames.size() + GetParam().untold < expected.size()) {
        ASSERT_FALSE(source->warnings().empty()) << frames.size() << " frames";
      }
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kNotVideo) << error.what();
    }
  }
  EXPECT_GT(decoded_most, expected.size() * 3 / 4);
}

TEST(VideoFile, AHeaderCutShortIsNoVideoRatherThanAnUnreadableFile) {
  const fs::path whole = tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast -g 12", "a.mkv");
  const tests::TemporaryFolder folder;
  for (const size_t bytes : {20, 60, 100, 200}) {
    write(folder.path() / "cut.mkv", bytes_of(whole).substr(0, bytes));
    try {
      open_video(folder.path() / "cut.mkv");
      ADD_FAILURE() << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotVideo) << bytes << ": " << error.what();
    }
  }
}

TEST(VideoFile, DamageInTheMiddleIsSkippedCountedAndTold) {
  for (const char* name : {"a.mkv", "a.ts", "a.mp4"}) {
    const fs::path whole =
        tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast -g 10", name);
    std::string bytes = bytes_of(whole);
    for (size_t i = bytes.size() * 2 / 5; i < bytes.size() * 3 / 5; i += 97)
      bytes[i] = static_cast<char>(bytes[i] ^ 0x5A);
    const tests::TemporaryFolder folder;
    write(folder.path() / name, bytes);
    const auto source = open_video(folder.path() / name);
    const auto frames = read_all(*source);
    EXPECT_GT(frames.size(), 25u) << name;
    EXPECT_LE(frames.size(), 50u) << name;
    for (size_t i = 1; i < frames.size(); ++i)
      EXPECT_GT(frames[i]->pts_us, frames[i - 1]->pts_us) << name;
    EXPECT_THAT(source->warnings(), Contains(HasSubstr("damaged"))) << name;
  }
}

TEST(VideoFile, AHeaderThatLiesAboutTheLengthIsCorrectedAndTold) {
  const fs::path honest =
      tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "a.mkv");
  std::string bytes = bytes_of(honest);
  const size_t at = bytes.find("\x44\x89\x88");  // Duration, an 8-byte float of milliseconds
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at + 3, 8, std::string("\x41\x4B\x77\x40\0\0\0\0", 8));  // 3 600 000
  const tests::TemporaryFolder folder;
  write(folder.path() / "a.mkv", bytes);
  const auto source = open_video(folder.path() / "a.mkv");
  EXPECT_EQ(source->info().duration_us, 3600000000);
  EXPECT_EQ(read_all(*source).size(), 50u);
  EXPECT_EQ(source->info().duration_us, 2000000);
  EXPECT_EQ(source->info().frames, 50);
  EXPECT_THAT(source->warnings(), Contains(HasSubstr("declares 3600.00 s")));
}

TEST(VideoFile, SizesFromOnePixelToSixteenThousand) {
  const auto dot = open_video(tests::synthetic_clip(
      "-f lavfi -i color=red:size=8x8:rate=5:duration=1 -vf format=bgr0,scale=1:1 -c:v ffv1",
      "dot.mkv"));
  EXPECT_EQ(dot->info().display_size, (Size{1, 1}));
  EXPECT_GT(dot->next()->rgb({3, 3}).data()[0], 240);
  const auto huge = open_video(tests::synthetic_clip(
      "-f lavfi -i color=blue:size=16000x9000:rate=5 -frames:v 2 -c:v mjpeg", "huge.mkv"));
  EXPECT_EQ(huge->info().display_size, (Size{16000, 9000}));
  EXPECT_EQ(read_all(*huge).size(), 2u);
}

TEST(VideoFile, APictureSizeThatChangesKeepsTheFirstDisplaySize) {
  const tests::TemporaryFolder folder;
  const std::string options = "-c:v mpeg2video -f mpegts";
  std::string bytes = bytes_of(tests::synthetic_clip(kTwoSeconds + options, "a.ts"));
  bytes += bytes_of(tests::synthetic_clip(
      "-f lavfi -i testsrc2=size=640x480:rate=25:duration=2 " + options, "b.ts"));
  write(folder.path() / "both.ts", bytes);
  const auto source = open_video(folder.path() / "both.ts");
  const auto frames = read_all(*source);
  EXPECT_GT(frames.size(), 95u);
  for (size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i]->display_size(), (Size{320, 180}));
    EXPECT_EQ(frames[i]->rgb({320, 180}).size(), (Size{320, 180}));
    if (i > 0) {
      EXPECT_GT(frames[i]->pts_us, frames[i - 1]->pts_us);
    }
  }
  EXPECT_THAT(source->warnings(), Contains(HasSubstr("size changes")));
  EXPECT_NEAR(static_cast<double>(source->info().duration_us), 4e6,
              2e5);  // the clock restarts in the middle
}

TEST(VideoFile, RotatedVideosStandUpright) {
  for (const int degrees : {90, 180, 270}) {
    const std::string turned = std::to_string(degrees);
    const fs::path flat =
        tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "flat.mp4");
    const fs::path clip =
        tests::synthetic_clip("-i '" + flat.string() + "' -c copy -metadata:s:v:0 rotate=" + turned,
                              "turned" + turned + ".mp4");
    const auto source = open_video(clip);
    const Size size = degrees == 180 ? Size{320, 180} : Size{180, 320};
    EXPECT_EQ(source->info().display_size, size);
    EXPECT_EQ(source->info().coded_size, (Size{320, 180}));
    const auto frames = read_all(*source);
    // ffmpeg turns by itself, before it converts; at half size the colours between two samples of
    // chroma, which that moves, do not count.
    const Size half{size.width / 2, size.height / 2};
    EXPECT_LT(mean_difference(frames[30]->rgb(half), ffmpeg_picture(clip, 30, half, 3)), 1.0)
        << degrees;
    EXPECT_LT(mean_difference(frames[30]->luma(size), ffmpeg_picture(clip, 30, size, 1)), 1.0)
        << degrees;
  }
}

TEST(VideoFile, SampleAspectEnlargesTheShorterSide) {
  const auto wide = open_video(tests::synthetic_clip(
      "-f lavfi -i testsrc2=size=720x576:rate=25:duration=1 -vf setsar=64/45 -c:v mpeg2video",
      "a.mpg"));
  EXPECT_EQ(wide->info().display_size, (Size{1024, 576}));
  EXPECT_EQ(wide->info().sample_aspect, (Rational{64, 45}));
  EXPECT_EQ(wide->next()->rgb({1024, 576}).size(), (Size{1024, 576}));
  const auto tall = open_video(tests::synthetic_clip(
      "-f lavfi -i testsrc2=size=320x180:rate=25:duration=1 -vf setsar=1/2 -c:v libx264", "a.mp4"));
  EXPECT_EQ(tall->info().display_size, (Size{320, 360}));
}

TEST(VideoFile, EditListsHideWhatIsBeforeTheCut) {
  const fs::path flat = tests::synthetic_clip(
      "-f lavfi -i testsrc2=size=320x180:rate=25:duration=4 -c:v libx264 -preset veryfast -g 25 "
      "-bf 2",
      "flat.mp4");
  const fs::path clip =
      tests::synthetic_clip("-ss 1.5 -i '" + flat.string() + "' -c copy", "cut.mp4");
  const auto probed = probe_frames(clip);
  const auto source = open_video(clip);
  const auto frames = read_all(*source);
  ASSERT_EQ(frames.size(), probed.timestamps.size());
  for (size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i]->pts_us, probed.pts_us(i));
  EXPECT_LT(mean_difference(frames[0]->rgb({320, 180}), ffmpeg_picture(clip, 0, {320, 180}, 3)), 2);
  EXPECT_THAT(source->warnings(), testing::IsEmpty());
}

TEST(VideoFile, ARangeFarIntoAnyFileKeepsIndicesAndTimes) {
  const std::string twelve = "-f lavfi -i testsrc2=size=160x96:rate=30000/1001:duration=12 ";
  const std::pair<const char*, const char*> clips[] = {
      {"a.mp4", "-c:v libx264 -preset veryfast -g 48 -bf 3"},
      {"a.mkv", "-c:v libx264 -preset veryfast -g 48 -bf 3 -x264-params open-gop=1"},
      {"a.ts", "-c:v libx264 -preset veryfast -g 48 -bf 3 -x264-params open-gop=1"},
      {"b.ts", "-c:v mpeg2video -g 12 -bf 2"},
      {"c.mkv", "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=40:open-gop=1"},
      {"a.webm", "-c:v libvpx-vp9 -cpu-used 5 -g 60 -auto-alt-ref 1 -lag-in-frames 16"},
      {"d.mkv", "-c:v libsvtav1 -preset 12 -g 60"},
      {"a.avi", "-c:v mpeg4 -g 12"},
      {"e.mp4", "-vf interlace -c:v libx264 -preset veryfast -g 30 -flags +ildct+ilme"},
      {"f.mp4", "-c:v libx264 -preset veryfast -intra-refresh 1 -g 60"}};
  for (const auto& [name, arguments] : clips) {
    const fs::path clip = tests::synthetic_clip(twelve + arguments, name);
    const auto whole = read_all(*open_video(clip));
    for (const int64_t start : {3000000, 7507500, 11000000}) {
      const TimeRange range{start, start + 500000};
      const auto part = read_all(*open_video(clip, {.range = range}));
      size_t next = 0;
      for (const auto& frame : whole) {
        if (!range.contains(frame->pts_us)) continue;
        ASSERT_LT(next, part.size()) << name;
        ASSERT_EQ(part[next]->index, frame->index) << name << start;
        ASSERT_EQ(part[next]->pts_us, frame->pts_us) << name;
        ASSERT_EQ(mean_difference(part[next]->luma({80, 45}), frame->luma({80, 45})), 0)
            << name << " frame " << frame->index;
        ++next;
      }
      EXPECT_EQ(next, part.size()) << name;
    }
  }
}

TEST(VideoFile, RangesThatCannotBeAreRefused) {
  const fs::path clip =
      tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "a.mp4");
  expect_error(clip, ErrorCode::kInvalidArgument, "empty", {.range = TimeRange{5, 5}});
  expect_error(clip, ErrorCode::kInvalidArgument, "starts at 0:10",
               {.range = TimeRange{10000000, 20000000}});
}

TEST(VideoFile, HardwareThatIsNotThereIsUnavailableAndAutoFallsBack) {
  const fs::path clip =
      tests::synthetic_clip(kTwoSeconds + "-c:v libx264 -preset ultrafast", "a.mp4");
#ifndef __APPLE__
  expect_error(clip, ErrorCode::kUnavailable, "software decoding works",
               {.hardware = HardwareDecoding::kVideoToolbox});
#endif
  EXPECT_EQ(read_all(*open_video(clip, {.hardware = HardwareDecoding::kAuto})).size(), 50u);
}

TEST(VideoFile, SkippingTheLoopFilterKeepsTimesReferencesAndThePicturesThatAreLookedAt) {
  const fs::path clip = tests::synthetic_clip(
      kTwoSeconds + "-c:v libx264 -crf 40 -bf 2 -x264-params b-pyramid=none", "b.mp4");
  const auto plain = read_all(*open_video(clip));
  const auto quick = read_all(*open_video(clip, {.exact_pictures_per_second = Rational{2, 1}}));
  ASSERT_EQ(plain.size(), quick.size());
  int different = 0;
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(plain[i]->pts_us, quick[i]->pts_us);
    const double difference =
        mean_difference(plain[i]->luma({320, 180}), quick[i]->luma({320, 180}));
    EXPECT_LT(difference, 3);
    const bool looked_at = i == 0 || plain[i]->pts_us / 500'000 != plain[i - 1]->pts_us / 500'000;
    if (looked_at) {
      EXPECT_EQ(difference, 0) << i;
    }
    different += difference > 0;
  }
  EXPECT_GT(different, 0);
  EXPECT_LT(different, static_cast<int>(plain.size()));
}

TEST(VideoFile, VariableRateIsNotedAndConstantIsNot) {
  const auto constant = open_video(tests::synthetic_clip(
      "-f lavfi -i testsrc2=size=64x36:rate=24000/1001:duration=2 -c:v libx264", "a.mkv"));
  read_all(*constant);
  EXPECT_FALSE(constant->info().variable_frame_rate);
  const auto variable = open_video(
      tests::synthetic_clip("-f lavfi -i testsrc2=size=64x36:rate=30:duration=2 -vf "
                            "select='not(mod(n\\,3))+gt(n\\,30)' -vsync vfr -c:v libx264",
                            "v.mkv"));
  read_all(*variable);
  EXPECT_TRUE(variable->info().variable_frame_rate);
}

}  // namespace
}  // namespace prismvid::media

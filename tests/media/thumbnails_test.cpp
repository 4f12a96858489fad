#include "media/thumbnails.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/synthetic_clip.h"

namespace prismvid::media {
namespace {

/// Two seconds of red, then two of blue.
std::filesystem::path red_then_blue(const std::string& coding, const std::string& name) {
  return tests::synthetic_clip(
      "-f lavfi -i color=c=red:size=160x90:rate=25:duration=2 -f lavfi -i "
      "color=c=blue:size=160x90:rate=25:duration=2 -filter_complex concat=n=2 -pix_fmt yuv420p " +
          coding,
      name);
}

char color_of(const Image& picture) {
  const uint8_t* pixel = picture.row(picture.height() / 2) + picture.width() / 2 * 3;
  if (pixel[0] > 150 && pixel[2] < 100) return 'r';
  return pixel[2] > 150 && pixel[0] < 100 ? 'b' : '?';
}

std::string colors(const std::filesystem::path& clip, const std::vector<int64_t>& times_us, int64_t tolerance_us) {
  std::string found;
  for (const Image& picture : read_thumbnails(clip, times_us, {{32, 18}, tolerance_us})) {
    EXPECT_EQ(picture.size(), (Size{32, 18}));
    found += color_of(picture);
  }
  return found;
}

struct Coding {
  const char* name;
  const char* file;
  const char* arguments;
};

class Thumbnails : public testing::TestWithParam<Coding> {};

TEST_P(Thumbnails, ShowWhatWasThereAtTheTime) {
  const auto clip = red_then_blue(GetParam().arguments, GetParam().file);
  EXPECT_EQ(colors(clip, {0, 500'000, 1'500'000, 2'500'000, 3'000'000, 3'900'000}, 400'000), "rrrbbb");
  EXPECT_EQ(colors(clip, {2'900'000}, 400'000), "b");
  EXPECT_EQ(colors(clip, {3'000'000, 3'000'000, 60'000'000}, 0), "bbb") << "the last one stays behind the end";
}

INSTANTIATE_TEST_SUITE_P(
    Codings, Thumbnails,
    testing::Values(Coding{"ManyKeyFrames", "many.mp4", "-c:v libx264 -preset veryfast -g 5 -bf 2"},
                    Coding{"OneKeyFrame", "one.mp4", "-c:v libx264 -preset veryfast -g 1000 -sc_threshold 0 -bf 2"},
                    Coding{"Matroska", "few.mkv", "-c:v libx264 -preset veryfast -g 30 -bf 2"},
                    Coding{"Vp9", "few.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30"}),
    [](const auto& coding) { return std::string(coding.param.name); });

TEST(StoppedThumbnails, AreNotRead) {
  const auto clip = red_then_blue("-c:v libx264 -preset veryfast -g 5", "stopped.mp4");
  std::stop_source stop;
  stop.request_stop();
  const int64_t times_us[] = {0};
  EXPECT_THROW(read_thumbnails(clip, times_us, {{32, 18}, 0, stop.get_token()}), Error);
}

}  // namespace
}  // namespace prismvid::media

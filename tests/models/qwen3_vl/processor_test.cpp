#include <gtest/gtest.h>

#include "core/error.h"
#include "core/sha256.h"
#include "models/qwen3_vl/bicubic.h"
#include "models/qwen3_vl/frame_size.h"
#include "models/qwen3_vl/tiny_model.h"
#include "models/qwen3_vl/video_plan.h"

namespace prismvid::qwen3_vl {
namespace {

const ProcessorConfig kReleased;
VisionConfig released_vision() {
  VisionConfig vision;
  vision.patch_size = 16;
  return vision;
}

TEST(ImageSize, EqualsTheReferenceAtTheReleasedLimits) {
  const auto resized = [](int height, int width) {
    return image_size({width, height}, 32, 65536, 16777216);
  };
  EXPECT_EQ(resized(1080, 1920), (Size{1920, 1088}));
  EXPECT_EQ(resized(720, 1280), (Size{1280, 704}));
  EXPECT_EQ(resized(480, 640), (Size{640, 480}));
  EXPECT_EQ(resized(224, 224), (Size{256, 256}));
  EXPECT_EQ(resized(4000, 6000), (Size{4992, 3328}));
  EXPECT_EQ(resized(8000, 8000), (Size{4096, 4096}));
  EXPECT_EQ(resized(3024, 4032), (Size{4032, 3008}));
  EXPECT_THROW(resized(10, 2001), Error);
  EXPECT_THROW(resized(0, 20), Error);
}

struct VideoSizeCase {
  int frames, height, width, expected_height, expected_width;
};

TEST(VideoFrameSize, EqualsTheReferenceAtTheReleasedLimits) {
  for (const auto& c : {VideoSizeCase{20, 720, 1280, 704, 1280},
                        {20, 1080, 1920, 832, 1472},
                        {120, 1080, 1920, 320, 608},
                        {768, 1080, 1920, 128, 224},
                        {4, 1080, 1920, 1088, 1920},
                        {60, 2160, 3840, 480, 832}})
    EXPECT_EQ(planned_frame_size({c.width, c.height}, c.frames, {}, kReleased, released_vision()),
              (Size{c.expected_width, c.expected_height}));
}

TEST(VideoFrameSize, CapsEachFrameAsQwenVlUtils) {
  VideoOptions options;
  options.max_frame_tokens = 768;
  EXPECT_EQ(planned_frame_size({1920, 1080}, 20, options, kReleased, released_vision()),
            (Size{1152, 640}));
}

TEST(VideoFrameSize, KeepsATotalBudgetOfTokens) {
  VideoOptions options;
  options.max_tokens = 2000;
  const Size size = planned_frame_size({1920, 1080}, 20, options, kReleased, released_vision());
  EXPECT_LE(10 * (size.width / 32) * (size.height / 32), 2000);
  EXPECT_GT(10 * (size.width / 32) * (size.height / 32), 1200);
}

TEST(SampleFrames, EqualsTheReference) {
  const auto indices = sample_frames({300, 30, {}}, {}, kReleased);
  ASSERT_EQ(indices.size(), 20u);
  EXPECT_EQ((std::vector<int64_t>(indices.begin(), indices.begin() + 8)),
            (std::vector<int64_t>{0, 16, 31, 47, 63, 79, 94, 110}));
  EXPECT_EQ(indices.back(), 299);
  EXPECT_EQ(sample_frames({61, 29.97, {}}, {}, kReleased), (std::vector<int64_t>{0, 20, 40, 60}));
  EXPECT_EQ(sample_frames({1, 25, {}}, {}, kReleased), (std::vector<int64_t>{0}));
}

TEST(SampleFrames, CombinesAllOptions) {
  VideoOptions options;
  options.fps = 1;
  options.start_us = 2'000'000;
  options.end_us = 9'000'000;
  options.frames = 5;
  const auto indices = sample_frames({300, 30, {}}, options, kReleased);
  ASSERT_EQ(indices.size(), 5u);
  EXPECT_EQ(indices.front(), 60);
  EXPECT_EQ(indices.back(), 270);
  options.frames.reset();
  options.max_frames = 3;
  options.min_frames = 1;
  EXPECT_EQ(sample_frames({300, 30, {}}, options, kReleased).size(), 3u);
  options.start_us = 11'000'000;
  options.end_us.reset();
  EXPECT_THROW(sample_frames({300, 30, {}}, options, kReleased), Error);
  options.fps = -1;
  EXPECT_THROW(sample_frames({300, 30, {}}, options, kReleased), Error);
}

TEST(GroupTimes, AreTheMeansOfPairs) {
  std::vector<int64_t> times;
  for (const int index : {0, 16, 31, 47, 63}) times.push_back(index * 1'000'000 / 30);
  std::string text;
  for (const double time : group_times(times)) text += timestamp_text(time);
  EXPECT_EQ(text, "<0.3 seconds><1.3 seconds><2.1 seconds>");
}

TEST(Bicubic, EqualsPillowBitForBit) {
  // Made by tools/dump_golden.py resize.
  struct Golden {
    int width, height, to_width, to_height;
    const char* sha256;
  };
  static constexpr Golden kGoldens[] = {
#include "golden/resize/bicubic.inc"
  };
  for (const Golden& g : kGoldens) {
    const Image resized =
        resize_bicubic(synthetic_picture(g.width, g.height, 3), {g.to_width, g.to_height});
    const std::string_view bytes(reinterpret_cast<const char*>(resized.data()),
                                 static_cast<size_t>(resized.width()) * resized.height() * 3);
    EXPECT_EQ(sha256_hex(bytes), g.sha256)
        << g.width << "x" << g.height << " to " << g.to_width << "x" << g.to_height;
  }
}

TEST(Patches, EqualTheReferencesPixelRows) {
  const Model& model = tiny_model("dense_tied");
  for (const Case& one : golden_cases(model)) {
    size_t number = 0;
    for (const char* name : {".pixel_values", ".pixel_values_videos"}) {
      const auto golden = goldens("dense_tied").find(one.name + name);
      if (golden == goldens("dense_tied").end()) continue;
      const std::vector<float> values = one.media.at(number++).values();
      ASSERT_EQ(values.size(), golden->second.size()) << one.name;
      const auto* expected = golden->second.data<float>();
      // The reference's video processor fuses scale and offset: one unit in the last place.
      for (size_t i = 0; i < values.size(); ++i)
        ASSERT_NEAR(values[i], expected[i], 2e-7f) << one.name;
    }
  }
}

// The reference's torchvision processor rounds its resize otherwise; the released models saw both.
TEST(Patches, AreAtMostOneLevelFromTheFastProcessor) {
  int compared = 0;
  for (const Case& one : golden_cases(tiny_model("dense_tied"))) {
    const auto golden = goldens("dense_tied").find(one.name + ".fast_bytes");
    if (golden == goldens("dense_tied").end()) continue;
    const auto* expected = golden->second.data<uint8_t>();
    size_t at = 0;
    for (const PatchRows& rows : one.media) {
      if (rows.grid.t > 1) continue;  // the video
      for (const float value : rows.values())
        ASSERT_NEAR((value * 0.5f + 0.5f) * 255, expected[at++], 1.001f) << one.name;
    }
    EXPECT_EQ(at, golden->second.size()) << one.name;
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

}  // namespace
}  // namespace prismvid::qwen3_vl

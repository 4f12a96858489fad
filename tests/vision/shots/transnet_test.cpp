#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "vision/models/manifest.h"
#include "vision/shots/clip.h"
#include "vision/shots/transnet_shot_detector.h"

namespace prismvid::vision {
namespace {

/// scene() of tools/make_shot_golden.py.
Image scene(int64_t seed, int64_t n) {
  Image image(TransNet::kWidth, TransNet::kHeight, 3);
  for (int64_t y = 0; y < image.height(); ++y)
    for (int64_t x = 0; x < image.width(); ++x)
      for (int64_t c = 0; c < 3; ++c) {
        const int64_t u = x + n * (seed % 3);
        const int64_t v = y + n / 2;
        const int64_t pattern = u * u * (seed + c) / 7 + v * (13 + seed * 3) + u * v * (c + 1) / 3;
        image.row(static_cast<int>(y))[x * 3 + c] =
            static_cast<uint8_t>((pattern % (97 + 40 * c) + 20 * seed) % 256);
      }
  return image;
}

Image mixed(const Image& from, const Image& to, int from_weight, int to_weight) {
  Image image = from;
  for (size_t i = 0; i < static_cast<size_t>(image.stride()) * image.height(); ++i)
    image.data()[i] = static_cast<uint8_t>(
        (from.data()[i] * from_weight + to.data()[i] * to_weight) / (from_weight + to_weight));
  return image;
}

/// clip() of tools/make_shot_golden.py.
Clip golden_clip() {
  Clip clip;
  clip.append(30, [](int n) { return scene(1, n); });
  clip.append(30, [](int n) { return scene(2, 30 + n); });
  clip.append(20, [](int n) { return mixed(scene(2, 60 + n), scene(5, 60 + n), 20 - n, n + 1); });
  clip.append(25, [](int n) { return scene(5, 80 + n); });
  clip.append(25, [](int n) { return scene(4, 105 + n); });
  return clip;
}

class TransNetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(SHOTS_TEST_DIR "/transnetv2_golden.json");
    golden_ = nlohmann::json::parse(file);
  }
  ModelManifest manifest_ = ModelRegistry::standard().require("shot_detection");
  nlohmann::json golden_;
};

TEST_F(TransNetTest, ProbabilitiesEqualTheReference) {
  Clip clip = golden_clip();
  ASSERT_EQ(clip.size(), golden_.at("frames").get<int>());
  TransNet net(load_network(manifest_.path(), {.precision = Precision::kExact}));
  std::vector<TransNetProbability> found;
  int64_t checksum = 0;
  for (int n = 0; n < clip.size(); ++n) {
    for (int i = 0; i < TransNet::kWidth * TransNet::kHeight * 3; ++i)
      checksum += clip[n].data()[i];
    for (const auto& p : net.add(clip[n])) found.push_back(p);
  }
  ASSERT_EQ(checksum, golden_.at("checksum").get<int64_t>()) << "the clip is not the generator's";
  for (const auto& p : net.finish()) found.push_back(p);
  ASSERT_EQ(found.size(), golden_.at("single").size());
  for (size_t n = 0; n < found.size(); ++n) {
    EXPECT_NEAR(found[n].single, golden_.at("single")[n].get<float>(), 1e-3f) << n;
    EXPECT_NEAR(found[n].many, golden_.at("many")[n].get<float>(), 1e-3f) << n;
  }
}

TEST_F(TransNetTest, WhatTheModelMarksBecomesOneTransition) {
  const auto detector = make_accurate_shot_detector(manifest_);
  const Clip clip = golden_clip();
  const auto shots = clip.detect(*detector);
  ASSERT_EQ(shots.size(), 2u);
  EXPECT_EQ(shots[1].shot.transition.kind, TransitionKind::kDissolve);
  EXPECT_NEAR(static_cast<double>(shots[1].shot.frame_start), 70, 4);
  ASSERT_TRUE(shots[1].shot.transition.range.has_value());
  EXPECT_GE(shots[1].shot.transition.range->start_us, clip.pts_us(58));
  EXPECT_LE(shots[1].shot.transition.range->end_us, clip.pts_us(84));
}

TEST_F(TransNetTest, ClipsOfAnyLengthAreCovered) {
  for (const int frames : {1, 25, 76}) {
    const auto detector = make_accurate_shot_detector(manifest_);
    Clip clip;
    clip.append(frames, [](int n) { return scene(3, n); });
    EXPECT_FALSE(clip.detect(*detector).empty()) << frames;
  }
}

}  // namespace
}  // namespace prismvid::vision

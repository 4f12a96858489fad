#include "vision/objects/object_detector.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "object_manifest.h"

namespace prismvid::vision {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// The graphs of data/ (tools/make_test_detectors.py) find coloured squares in a 64 x 64 input;
// class = input channel.
json parameters(const char* decoder) {
  return {{"decoder", decoder},
          {"input", {{"width", 64}, {"height", 64}}},
          {"classes", {"first", "second", "third"}},
          {"score_threshold", 0.6}};
}

/// Black, with a square of one channel at 255. Coordinates in pixels.
Image square(int width, int height, int x, int y, int side, int channel) {
  Image image(width, height, 3);
  for (int row = y; row < y + side; ++row)
    for (int column = x; column < x + side; ++column) image.row(row)[3 * column + channel] = 255;
  return image;
}

void expect_box(const Box& box, const Box& expected, float tolerance = 1e-4f) {
  EXPECT_NEAR(box.x0, expected.x0, tolerance);
  EXPECT_NEAR(box.y0, expected.y0, tolerance);
  EXPECT_NEAR(box.x1, expected.x1, tolerance);
  EXPECT_NEAR(box.y1, expected.y1, tolerance);
}

TEST(ObjectDetector, FindsASquareWithARawYoloxExport) {
  ObjectDetector detector(object_manifest("yolox_raw.onnx", parameters("yolox")));
  // 128 x 64 is letterboxed to 64 x 32; the square fills the cell of column 3, row 1.
  const Image picture = square(128, 64, 48, 16, 16, 0);
  const auto found = detector.detect(picture);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(detector.classes()[found[0].class_id], "third");  // red is the last channel of BGR
  EXPECT_NEAR(found[0].score, 1.0f, 0.01f);
  // Two cells wide and high around the cell's centre (28, 12) of a 64 x 32 picture.
  expect_box(found[0].box, {20 / 64.f, 4 / 32.f, 36 / 64.f, 20 / 32.f}, 0.005f);
}

TEST(ObjectDetector, ADecodedYoloxExportGivesTheSameBox) {
  json decoded = parameters("yolox");
  decoded["decoded"] = true;
  ObjectDetector detector(object_manifest("yolox_decoded.onnx", decoded));
  EXPECT_EQ(detector.precision(), Precision::kExact);
  const auto found = detector.detect(square(128, 64, 48, 16, 16, 0));
  ASSERT_EQ(found.size(), 1u);
  expect_box(found[0].box, {20 / 64.f, 4 / 32.f, 36 / 64.f, 20 / 32.f});
}

TEST(ObjectDetector, TakesTheColourOrderOfTheManifest) {
  json rgb = parameters("yolox");
  rgb["input"]["colour"] = "rgb";
  ObjectDetector detector(object_manifest("yolox_raw.onnx", rgb));
  const auto found = detector.detect(square(64, 64, 8, 8, 8, 0));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 0);
}

TEST(ObjectDetector, FindsASquareWithAnExportOfLabelsBoxesAndScores) {
  for (const char* decoder : {"rtdetr", "dfine"}) {
    ObjectDetector detector(object_manifest("detr_boxes.onnx", parameters(decoder)));
    // 256 x 128 is stretched to 64 x 64: the square fills the grid cell of column 2, row 1.
    Image picture(256, 128, 3);
    for (int y = 32; y < 64; ++y)
      for (int x = 128; x < 192; ++x) picture.row(y)[3 * x + 1] = 255;
    const auto found = detector.detect(picture);
    ASSERT_EQ(found.size(), 1u) << decoder;
    EXPECT_EQ(found[0].class_id, 1);
    EXPECT_NEAR(found[0].score, 1.0f, 1e-4f);
    expect_box(found[0].box, {0.5f, 0.25f, 0.75f, 0.5f});
  }
}

TEST(ObjectDetector, FindsASquareWithAnExportOfLogits) {
  ObjectDetector detector(object_manifest("detr_logits.onnx", parameters("dfine")));
  const auto found = detector.detect(square(64, 64, 16, 48, 16, 2));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 2);
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-10.0f)), 1e-4f);
  expect_box(found[0].box, {0.25f, 0.75f, 0.5f, 1.0f});
}

TEST(ObjectDetector, FindsNothingInABlackPicture) {
  ObjectDetector detector(object_manifest("yolox_raw.onnx", parameters("yolox")));
  EXPECT_TRUE(detector.detect(Image(64, 64, 3)).empty());
}

std::string problem(const std::string& file, const json& with) {
  try {
    ObjectDetector detector(object_manifest(file, with));
    detector.detect(Image(64, 64, 3));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return {};
}

TEST(ObjectDetector, SaysWhatDoesNotFitBetweenManifestAndFile) {
  json larger = parameters("yolox");
  larger["input"]["width"] = 128;
  EXPECT_THAT(problem("yolox_raw.onnx", larger), HasSubstr("1x3x64x128"));
  json fewer = parameters("yolox");
  fewer["classes"] = {"only"};
  EXPECT_THAT(problem("yolox_raw.onnx", fewer), HasSubstr("1x84x8"));
  EXPECT_THAT(problem("yolox_raw.onnx", parameters("rtdetr")), HasSubstr("labels, boxes, scores"));
  EXPECT_THAT(problem("detr_boxes.onnx", parameters("yolox")), HasSubstr("a YOLOX export has one"));
  EXPECT_THAT(problem("missing.onnx", parameters("yolox")), HasSubstr("missing.onnx"));
}

TEST(ObjectDetector, TheTextForAMissingDetectorNamesTheCommand) {
  EXPECT_THAT(no_object_detector_text(), HasSubstr("prismvid models install"));
}

}  // namespace
}  // namespace prismvid::vision

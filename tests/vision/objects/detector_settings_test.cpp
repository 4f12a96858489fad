#include "vision/objects/detector_settings.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "object_manifest.h"

namespace prismvid::vision {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const json kYolox = json::parse(
    R"({"decoder": "yolox", "input": {"width": 416, "height": 320}, "classes": "coco"})");

std::string problem(json parameters) {
  try {
    parse_detector_settings(object_manifest("model.onnx", parameters));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    return error.what();
  }
  return {};
}

json with(json parameters, const std::string& pointer, const json& value) {
  parameters[json::json_pointer(pointer)] = value;
  return parameters;
}

TEST(DetectorSettings, YoloxDefaultsAreThoseOfItsReference) {
  const DetectorSettings settings = parse_detector_settings(object_manifest("m.onnx", kYolox));
  EXPECT_EQ(settings.family, DetectorFamily::kYolox);
  EXPECT_EQ(settings.input.size, (Size{416, 320}));
  EXPECT_TRUE(settings.input.bgr);
  EXPECT_TRUE(settings.input.letterbox);
  EXPECT_FALSE(settings.input.area_resize);
  EXPECT_EQ(settings.input.deviation[0], 1.0f);
  EXPECT_EQ(settings.precision, Precision::kFast);
  EXPECT_EQ(settings.classes.size(), 80u);
  EXPECT_EQ(settings.classes[16], "dog");
  EXPECT_GT(settings.nms_overlap, 0);
}

TEST(DetectorSettings, DetrDefaultsAreThoseOfItsReference) {
  for (const char* decoder : {"rtdetr", "dfine"}) {
    const DetectorSettings settings =
        parse_detector_settings(object_manifest("m.onnx", with(kYolox, "/decoder", decoder)));
    EXPECT_EQ(settings.family, DetectorFamily::kDetr);
    EXPECT_FALSE(settings.input.bgr);
    EXPECT_FALSE(settings.input.letterbox);
    EXPECT_TRUE(settings.input.area_resize);
    EXPECT_EQ(settings.input.deviation[0], 255.0f);
    EXPECT_EQ(settings.precision, Precision::kExact);
    EXPECT_EQ(settings.nms_overlap, 0);
  }
}

TEST(DetectorSettings, CoordinatesDecodedInTheGraphAreComputedExactly) {
  EXPECT_EQ(
      parse_detector_settings(object_manifest("m.onnx", with(kYolox, "/decoded", true))).precision,
      Precision::kExact);
}

TEST(DetectorSettings, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(problem(with(kYolox, "/decoder", "yolov8")), HasSubstr("yolox, rtdetr, dfine"));
  EXPECT_THAT(problem(with(kYolox, "/input/width", 8)), HasSubstr("'width'"));
  EXPECT_THAT(problem(with(kYolox, "/input/width", 1e9)), HasSubstr("'width'"));
  EXPECT_THAT(problem(with(kYolox, "/input/height", "640")), HasSubstr("'height'"));
  EXPECT_THAT(problem(with(kYolox, "/input/mean", json::array({1, 2}))), HasSubstr("'mean'"));
  EXPECT_THAT(problem(with(kYolox, "/input/std", 0)), HasSubstr("'std'"));
  EXPECT_THAT(problem(with(kYolox, "/input/colour", "cmyk")), HasSubstr("'colour'"));
  EXPECT_THAT(problem(with(kYolox, "/strides", json::array({0}))), HasSubstr("'strides'"));
  EXPECT_THAT(problem(with(kYolox, "/strides", json::array({8.5}))), HasSubstr("'strides'"));
  EXPECT_THAT(problem(with(kYolox, "/score_threshold", 2)), HasSubstr("'score_threshold'"));
  EXPECT_THAT(problem(with(kYolox, "/classes", json::array())), HasSubstr("'classes'"));
  EXPECT_THAT(problem(with(kYolox, "/classes", json::array({1}))), HasSubstr("'classes'"));
  EXPECT_THAT(problem(with(kYolox, "/decoded", 1)), HasSubstr("'decoded'"));
  EXPECT_THAT(problem(with(kYolox, "/input", 1)), HasSubstr("'input'"));
  EXPECT_THAT(problem(json::object()), HasSubstr("'decoder'"));
}

}  // namespace
}  // namespace prismvid::vision

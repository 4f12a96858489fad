#include "vision/objects/detector_output.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.h"

namespace prismvid::vision {
namespace {

DetectorSettings settings_for(DetectorFamily family) {
  DetectorSettings settings;
  settings.family = family;
  settings.input.size = {64, 32};
  settings.strides = {16, 32};
  settings.score_threshold = 0.3f;
  settings.classes = {"a", "b"};
  return settings;
}

/// 4 x 2 cells of stride 16 and 2 x 1 of stride 32, all silent.
Tensor silent_cells() {
  return {{1, 10, 7}, std::vector<float>(70)};
}

void set_cell(Tensor& tensor, int cell, const std::vector<float>& values) {
  std::copy(values.begin(), values.end(), tensor.data.begin() + cell * 7);
}

TEST(DecodeYolox, TurnsRawCellsIntoBoxes) {
  Tensor cells = silent_cells();
  set_cell(cells, 6,
           {0.5f, 0.25f, std::log(2.0f), 0, 0.8f, 0.1f, 0.9f});  // stride 16, column 2, row 1
  set_cell(cells, 9, {0, 0.5f, 0, 0, 1.0f, 0.5f, 0.4f});         // stride 32, column 1, row 0
  const auto found = decode_yolox(cells, settings_for(DetectorFamily::kYolox));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].class_id, 1);
  EXPECT_FLOAT_EQ(found[0].score, 0.72f);
  EXPECT_NEAR(found[0].box.x0, 2.5f * 16 - 16, 1e-4);
  EXPECT_NEAR(found[0].box.x1, 2.5f * 16 + 16, 1e-4);
  EXPECT_NEAR(found[0].box.y0, 1.25f * 16 - 8, 1e-4);
  EXPECT_EQ(found[1].class_id, 0);
  EXPECT_FLOAT_EQ(found[1].score, 0.5f);
  EXPECT_NEAR(found[1].box.x0, 32 - 16, 1e-4);
}

TEST(DecodeYolox, TakesDecodedCellsAsTheyAre) {
  DetectorSettings settings = settings_for(DetectorFamily::kYolox);
  settings.decoded = true;
  Tensor cells = silent_cells();
  set_cell(cells, 3, {20, 10, 8, 4, 1, 1, 0});
  const auto found = decode_yolox(cells, settings);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_FLOAT_EQ(found[0].box.x0, 16);
  EXPECT_FLOAT_EQ(found[0].box.y1, 12);
}

TEST(DecodeYolox, DropsValuesThatAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Tensor cells = silent_cells();
  set_cell(cells, 0, {0, 0, 0, 0, nan, 1, 1});
  set_cell(cells, 1, {0, 0, 0, 0, 1, nan, nan});
  EXPECT_TRUE(decode_yolox(cells, settings_for(DetectorFamily::kYolox)).empty());
}

TEST(DecodeYolox, RefusesAnOutputThatDoesNotFitTheManifest) {
  DetectorSettings settings = settings_for(DetectorFamily::kYolox);
  settings.classes.push_back("c");
  EXPECT_THROW(decode_yolox(silent_cells(), settings), Error);
  settings.classes.pop_back();
  settings.strides = {8, 16, 32};
  EXPECT_THROW(decode_yolox(silent_cells(), settings), Error);
}

TEST(DecodeDetr, CountsEveryPairOfQueryAndClassAboveTheThreshold) {
  const Tensor logits{{1, 2, 2}, {2, 1, -3, -9}};
  const Tensor boxes{{1, 2, 4}, {0.5f, 0.5f, 0.5f, 0.25f, 0.1f, 0.1f, 0.1f, 0.1f}};
  const auto found = decode_detr_logits(logits, boxes, settings_for(DetectorFamily::kDetr));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0].score, 1 / (1 + std::exp(-2.0)), 1e-6);
  EXPECT_EQ(found[1].class_id, 1);
  EXPECT_FLOAT_EQ(found[0].box.x0, 16);
  EXPECT_FLOAT_EQ(found[0].box.y0, 12);
  EXPECT_FLOAT_EQ(found[0].box.y1, 20);
}

TEST(DecodeDetr, ReadsLabelsBoxesAndScores) {
  const Tensor labels{{1, 2}, {1, 0}};
  const Tensor boxes{{1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}};
  const Tensor scores{{1, 2}, {0.9f, 0.2f}};
  const auto found = decode_detr_boxes(labels, boxes, scores, settings_for(DetectorFamily::kDetr));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 1);
  EXPECT_FLOAT_EQ(found[0].box.y1, 4);
}

TEST(DecodeDetr, RefusesWrongShapesAndUnnamedClasses) {
  const DetectorSettings settings = settings_for(DetectorFamily::kDetr);
  const Tensor boxes{{1, 1, 4}, {1, 2, 3, 4}};
  EXPECT_THROW(decode_detr_boxes({{1, 1}, {2}}, boxes, {{1, 1}, {0.9f}}, settings), Error);
  EXPECT_THROW(decode_detr_boxes({{1, 2}, {0, 0}}, boxes, {{1, 1}, {0.9f}}, settings), Error);
  EXPECT_THROW(decode_detr_logits({{1, 1, 3}, {1, 1, 1}}, boxes, settings), Error);
}

TEST(Suppress, KeepsTheBestOfOverlappingBoxes) {
  const Detection weak{{0, 0, 10, 10}, 0.5f, 0};
  const Detection strong{{1, 1, 11, 11}, 0.9f, 1};
  const Detection apart{{20, 20, 30, 30}, 0.7f, 0};
  const auto across = suppress({weak, strong, apart}, 0.5f, true);
  ASSERT_EQ(across.size(), 2u);
  EXPECT_FLOAT_EQ(across[0].score, 0.9f);
  EXPECT_FLOAT_EQ(across[1].score, 0.7f);
  EXPECT_EQ(suppress({weak, strong, apart}, 0.5f, false).size(), 3u);
  EXPECT_EQ(suppress({weak, strong, apart}, 0, true).size(), 3u);
}

}  // namespace
}  // namespace prismvid::vision

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/error.h"
#include "vision/faces/sface_embedder.h"
#include "vision/faces/yunet_detector.h"

// The OpenCV zoo's weights are in no package, so a stand-in network plays their part here: it shows
// that inputs are packed and outputs decoded as documented, not how well faces are found.
namespace prismvid::vision {
namespace {

constexpr int kSide = 64;

class StandIn : public Network {
 public:
  StandIn(Shape input, std::map<std::string, Tensor> outputs, std::vector<float>* seen = nullptr)
      : input_(std::move(input)), outputs_(std::move(outputs)), seen_(seen) {}
  std::vector<std::string> input_names() const override { return {"input"}; }
  std::vector<std::string> output_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : outputs_) names.push_back(name);
    return names;
  }
  Shape input_shape(size_t) const override { return input_; }
  std::string metadata(const std::string&) const override { return {}; }
  std::vector<Tensor> run(std::span<const TensorView> inputs) override {
    if (seen_) seen_->assign(inputs[0].data.begin(), inputs[0].data.end());
    std::vector<Tensor> result;
    for (const auto& [name, tensor] : outputs_) result.push_back(tensor);
    return result;
  }

 private:
  Shape input_;
  std::map<std::string, Tensor> outputs_;
  std::vector<float>* seen_;
};

std::map<std::string, Tensor> empty_outputs() {
  std::map<std::string, Tensor> outputs;
  for (const int stride : {8, 16, 32})
    for (const auto& [part, values] :
         std::map<std::string, int>{{"cls_", 1}, {"obj_", 1}, {"bbox_", 4}, {"kps_", 10}}) {
      const int64_t cells = (kSide / stride) * (kSide / stride);
      outputs[part + std::to_string(stride)] = {
          {1, cells, values}, std::vector<float>(static_cast<size_t>(cells * values))};
    }
  return outputs;
}

/// A face at cell (1, 0) of stride 16: centre (1.5, 0.5) cells, 2 by 1 cells, landmarks 0.1 cells
/// apart.
void put_face(std::map<std::string, Tensor>& outputs, size_t cell, float score) {
  outputs["cls_16"].data[cell] = score;
  outputs["obj_16"].data[cell] = score;
  const float box[] = {0.5f, 0.5f, std::log(2.0f), 0};
  for (size_t i = 0; i < 4; ++i) outputs["bbox_16"].data[cell * 4 + i] = box[i];
  for (size_t i = 0; i < 10; ++i)
    outputs["kps_16"].data[cell * 10 + i] = 0.1f * static_cast<float>(i);
}

TEST(Yunet, DecodesBoxesAndLandmarksInThePicturesPixels) {
  auto outputs = empty_outputs();
  put_face(outputs, 1, 0.81f);
  YunetDetector detector(std::make_unique<StandIn>(Shape{1, 3, kSide, kSide}, outputs), {});
  const auto faces = detector.detect(Image(128, 64, 3));  // reduced by two
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_NEAR(faces[0].score, 0.81, 1e-5);
  EXPECT_NEAR(faces[0].box.x0, 2 * (24 - 16), 1e-3);
  EXPECT_NEAR(faces[0].box.x1, 2 * (24 + 16), 1e-3);
  EXPECT_NEAR(faces[0].box.y0, 0, 1e-3);
  EXPECT_NEAR(faces[0].box.y1, 2 * 16, 1e-3);
  EXPECT_NEAR(faces[0].landmarks->left_eye.x, 2 * 16 * 1.2, 1e-3);
  EXPECT_NEAR(faces[0].landmarks->left_mouth->y, 2 * 16 * 0.9, 1e-3);
}

TEST(Yunet, KeepsTheBestOfOverlappingFacesAndNoWeakOnes) {
  auto outputs = empty_outputs();
  put_face(outputs, 1, 0.7f);
  put_face(outputs, 2, 0.9f);   // half a face to the right
  put_face(outputs, 12, 0.5f);  // too weak
  YunetOptions options;
  options.nms_overlap = 0.2f;
  YunetDetector detector(std::make_unique<StandIn>(Shape{1, 3, kSide, kSide}, outputs), options);
  const auto faces = detector.detect(Image(64, 64, 3));
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_NEAR(faces[0].score, 0.9, 1e-5);
}

TEST(Yunet, PacksBlueGreenRedFrom0To255AndPadsWithZero) {
  std::vector<float> seen;
  YunetDetector detector(
      std::make_unique<StandIn>(Shape{1, 3, kSide, kSide}, empty_outputs(), &seen), {});
  Image picture(64, 32, 3);
  for (int i = 0; i < 64 * 32; ++i) picture.data()[3 * i] = 200, picture.data()[3 * i + 2] = 50;
  detector.detect(picture);
  ASSERT_EQ(seen.size(), 3u * kSide * kSide);
  EXPECT_NEAR(seen[0], 50, 1e-3);
  EXPECT_NEAR(seen[2 * kSide * kSide], 200, 1e-3);
  EXPECT_EQ(seen[2 * kSide * kSide + 40 * kSide], 0);
}

TEST(Yunet, RefusesANetworkWithOtherOutputs) {
  auto outputs = empty_outputs();
  outputs.erase("kps_32");
  YunetDetector detector(std::make_unique<StandIn>(Shape{1, 3, kSide, kSide}, outputs), {});
  EXPECT_THROW(detector.detect(Image(64, 64, 3)), Error);
}

TEST(Sface, BringsTheLandmarksToTheirPlaces) {
  // Marks at the five places of the model, turned by 90 degrees, doubled and moved.
  const Point places[] = {{38.2946f, 51.6963f},
                          {73.5318f, 51.5014f},
                          {56.0252f, 71.7366f},
                          {41.5493f, 92.3655f},
                          {70.7299f, 92.2041f}};
  Image picture(400, 400, 3);
  Point at[5];
  for (int i = 0; i < 5; ++i) {
    at[i] = {300 - 2 * places[i].y, 50 + 2 * places[i].x};
    for (int y = -4; y <= 4; ++y)
      for (int x = -4; x <= 4; ++x)
        picture.row(static_cast<int>(at[i].y) + y)[(static_cast<int>(at[i].x) + x) * 3 + i % 3] =
            255;
  }
  SfaceEmbedder embedder(
      std::make_unique<StandIn>(Shape{1, 3, 112, 112}, std::map<std::string, Tensor>{}), 0.45f);
  const auto aligned =
      embedder.align(picture, {{0, 0, 1, 1}, 1, FaceLandmarks{at[0], at[1], at[2], at[3], at[4]}});
  for (int i = 0; i < 5; ++i)
    EXPECT_GT(
        aligned.chip.row(static_cast<int>(places[i].y))[static_cast<int>(places[i].x) * 3 + i % 3],
        200)
        << i;
}

TEST(Sface, NeedsLandmarks) {
  SfaceEmbedder embedder(
      std::make_unique<StandIn>(Shape{1, 3, 112, 112}, std::map<std::string, Tensor>{}), 0.45f);
  EXPECT_THROW(embedder.align(Image(64, 64, 3), {{0, 0, 32, 32}, 1, std::nullopt}), Error);
}

}  // namespace
}  // namespace prismvid::vision

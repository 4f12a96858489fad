#include "vision/labels/label_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "vision/labels/bicubic.h"
#include "vision/models/manifest_fields.h"

namespace prismvid::vision {
namespace {

constexpr int kLargestInput = 1024;

/// The size at which the shorter side is `side`; the longer one is cut to whole pixels.
Size with_shorter_side(Size size, int side) {
  const int shorter = std::min(size.width, size.height);
  auto scaled = [&](int v) { return static_cast<int>(static_cast<int64_t>(v) * side / shorter); };
  return {scaled(size.width), scaled(size.height)};
}

/// Half of what is left over, rounded half to even as the reference does.
int centred(int whole, int part) {
  return static_cast<int>(std::nearbyint((whole - part) / 2.0));
}

void softmax(std::vector<float>& values) {
  const float most = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (float& value : values) sum += value = std::exp(value - most);
  for (float& value : values) value = static_cast<float>(value / sum);
}

}  // namespace

LabelClassifier::LabelClassifier(const ModelManifest& manifest, int threads) {
  const ManifestFields fields(manifest);
  const ManifestFields input = fields.object("input");
  size_ = {input.required_number<int>("width", 16, kLargestInput),
           input.required_number<int>("height", 16, kLargestInput)};
  const int longer = std::max(size_.width, size_.height);
  resize_shorter_side_ = input.number("resize_shorter_side", longer, longer, 2 * kLargestInput);
  mean_ = input.channels("mean", 0);
  deviation_ = input.channels("std", 255);
  for (const float deviation : deviation_)
    check(deviation > 0, ErrorCode::kModel, "manifest of model '", manifest.id,
          "': 'std' must be above 0");
  logits_ = fields.choice("output", {"probabilities", "logits"}) == "logits";
  classes_ = fields.names("classes");
  const Shape shape{1, 3, size_.height, size_.width};
  network_ =
      load_network(manifest.path(), {kPrecision, threads, [shape](const Shape&) { return shape; }});
  check(network_->input_names().size() == 1 && network_->input_shape(0) == shape, ErrorCode::kModel,
        "model '", manifest.id, "' does not take one picture 1x3x", size_.height, "x", size_.width,
        " as its manifest says");
}

std::vector<float> LabelClassifier::probabilities(ImageView picture) {
  check(!picture.empty() && picture.channels == 3, ErrorCode::kInternal,
        "labels need an RGB picture, got ", picture.width, "x", picture.height, " with ",
        picture.channels, " channels");
  const std::vector<float> planes = input_planes(picture);
  const TensorView input{{1, 3, size_.height, size_.width}, planes};
  std::vector<Tensor> outputs = network_->run({&input, 1});
  std::vector<float>& values = outputs.front().data;
  check(values.size() == classes_.size(), ErrorCode::kModel, "the label model gives ",
        values.size(), " values, its manifest names ", classes_.size(), " classes");
  if (logits_) softmax(values);
  return std::move(values);
}

std::vector<float> LabelClassifier::input_planes(ImageView picture) const {
  const Size resized = with_shorter_side(picture.size(), resize_shorter_side_);
  const Image crop =
      resize_bicubic(picture, resized,
                     {centred(resized.width, size_.width), centred(resized.height, size_.height),
                      size_.width, size_.height});
  const size_t area = static_cast<size_t>(size_.width) * size_.height;
  std::vector<float> planes(3 * area);
  for (size_t i = 0; i < area; ++i)
    for (size_t c = 0; c < 3; ++c)
      planes[c * area + i] =
          (static_cast<float>(crop.data()[3 * i + c]) - mean_[c]) / deviation_[c];
  return planes;
}

std::vector<LabelScore> LabelClassifier::classify(ImageView picture) {
  const std::vector<float> values = probabilities(picture);
  std::vector<LabelScore> labels;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] >= kLeastConfidence) labels.push_back({classes_[i], values[i]});
  std::stable_sort(labels.begin(), labels.end(), [](const LabelScore& a, const LabelScore& b) {
    return a.confidence > b.confidence;
  });
  return labels;
}

std::string no_label_model_text() {
  return "no label model is installed: run 'make setup' in PrismVid's folder, or 'prismvid models "
         "install FOLDER' "
         "with an image classifier of your own (task image_labels)";
}

std::string no_scene_class_model_text() {
  return "no model for kinds of places is installed: PrismVid brings none. Run 'prismvid models "
         "install FOLDER' with "
         "an image classifier of your own (task scene_class)";
}

}  // namespace prismvid::vision

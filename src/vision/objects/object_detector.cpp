#include "vision/objects/object_detector.h"

#include <algorithm>

#include "core/error.h"
#include "vision/objects/detector_input.h"
#include "vision/objects/detector_output.h"

namespace prismvid::vision {
namespace {

constexpr size_t kMostDetections = 300;
constexpr size_t kImageRank = 4;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Places of `wanted` in `names`; empty unless all are there.
std::vector<size_t> places(const std::vector<std::string>& names,
                           const std::vector<std::string>& wanted) {
  std::vector<size_t> result;
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return {};
    result.push_back(found - names.begin());
  }
  return result;
}

}  // namespace

ObjectDetector::ObjectDetector(const ModelManifest& manifest, int threads)
    : settings_(parse_detector_settings(manifest)) {
  const Size size = settings_.input.size;
  NetworkOptions options{settings_.precision, threads, {}};
  options.fix_shape = [size](const Shape& declared) {
    return declared.size() == kImageRank ? Shape{1, 3, size.height, size.width} : Shape{1, 2};
  };
  network_ = load_network(manifest.path(), options);
  find_inputs(manifest.id);
  find_outputs(manifest.id);
  planes_.resize(static_cast<size_t>(3) * size.width * size.height);
}

void ObjectDetector::find_inputs(const std::string& model) {
  const size_t count = network_->input_names().size();
  const Shape image{1, 3, settings_.input.size.height, settings_.input.size.width};
  image_input_ = count;
  for (size_t i = 0; i < count; ++i)
    if (network_->input_shape(i) == image) image_input_ = i;
  const bool others_known =
      count == 1 ||
      (count == 2 && network_->input_shape(1 - std::min<size_t>(image_input_, 1)) == Shape{1, 2});
  check(image_input_ < count && others_known, ErrorCode::kModel, "model '", model, "' has inputs ",
        joined(network_->input_names()), "; expected one picture 1x3x", image[2], "x", image[3],
        " (as its manifest says) and at most orig_target_sizes 1x2");
}

void ObjectDetector::find_outputs(const std::string& model) {
  const std::vector<std::string> names = network_->output_names();
  if (settings_.family == DetectorFamily::kYolox) {
    layout_ = Layout::kCells;
    if (names.size() == 1) outputs_ = {0};
  } else if (outputs_ = places(names, {"logits", "pred_boxes"}); !outputs_.empty()) {
    layout_ = Layout::kLogits;
  } else {
    layout_ = Layout::kBoxes;
    outputs_ = places(names, {"labels", "boxes", "scores"});
  }
  check(!outputs_.empty(), ErrorCode::kModel, "model '", model, "' has outputs ", joined(names),
        settings_.family == DetectorFamily::kYolox
            ? "; a YOLOX export has one"
            : "; an RT-DETR or D-FINE export has logits, pred_boxes or labels, boxes, scores");
}

std::vector<Detection> ObjectDetector::detect(ImageView picture) {
  const InputPlacement placement = fill_input(picture, settings_.input, planes_);
  std::vector<Detection> found = suppress(decode(run(settings_.input.size)), settings_.nms_overlap,
                                          settings_.nms_across_classes);
  for (Detection& detection : found) detection.box = clipped(placement.to_picture(detection.box));
  std::erase_if(found, [](const Detection& detection) { return !(detection.box.area() > 0); });
  if (found.size() > kMostDetections) found.resize(kMostDetections);
  return found;
}

/// The size input gets the input's own size, so that boxes come in input pixels from every layout.
std::vector<Tensor> ObjectDetector::run(Size size) {
  const std::vector<float> sizes{static_cast<float>(size.width), static_cast<float>(size.height)};
  std::vector<TensorView> inputs(network_->input_names().size(), TensorView{{1, 2}, sizes});
  inputs[image_input_] = {{1, 3, size.height, size.width}, planes_};
  return network_->run(inputs);
}

std::vector<Detection> ObjectDetector::decode(const std::vector<Tensor>& outputs) const {
  auto output = [&](size_t role) -> const Tensor& { return outputs[outputs_[role]]; };
  switch (layout_) {
    case Layout::kCells:
      return decode_yolox(output(0), settings_);
    case Layout::kLogits:
      return decode_detr_logits(output(0), output(1), settings_);
    case Layout::kBoxes:
      return decode_detr_boxes(output(0), output(1), output(2), settings_);
  }
  fail(ErrorCode::kInternal, "object detector without a layout");
}

std::string no_object_detector_text() {
  return "no object detector is installed: PrismVid brings none, as no package that it may use "
         "carries one. Run "
         "'prismvid models install yolox-tiny' when online, or 'prismvid models install FILE.onnx "
         "--decoder yolox "
         "--classes coco' with a YOLOX, RT-DETR or D-FINE model of your own";
}

}  // namespace prismvid::vision

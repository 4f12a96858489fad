#include "vision/objects/detector_settings.h"

#include "core/error.h"
#include "vision/models/manifest_fields.h"

namespace prismvid::vision {
namespace {

constexpr int kLargestInput = 4096;

DetectorInput parse_input(const ManifestFields& fields, DetectorFamily family) {
  const bool yolox = family == DetectorFamily::kYolox;
  DetectorInput input;
  input.size = {fields.required_number<int>("width", 32, kLargestInput),
                fields.required_number<int>("height", 32, kLargestInput)};
  auto first = [&](const char* a, const char* b) {
    return yolox ? std::vector<std::string>{a, b} : std::vector<std::string>{b, a};
  };
  input.bgr = fields.choice("colour", first("bgr", "rgb")) == "bgr";
  input.letterbox = fields.choice("resize", first("letterbox", "stretch")) == "letterbox";
  input.area_resize = fields.choice("interpolation", first("linear", "area")) == "area";
  input.pad_value = fields.number("pad_value", 114.0f, 0, 255);
  input.mean = fields.channels("mean", 0);
  input.deviation = fields.channels("std", yolox ? 1.0f : 255.0f);
  for (const float deviation : input.deviation)
    check(deviation > 0, ErrorCode::kModel, "object detector's 'std' must be above 0");
  return input;
}

}  // namespace

DetectorSettings parse_detector_settings(const ModelManifest& manifest) {
  check(manifest.task == "object_detection", ErrorCode::kModel, "model '", manifest.id, "' is for ",
        manifest.task, ", not for object_detection");
  const ManifestFields fields(manifest);
  DetectorSettings settings;
  check(fields.has("decoder"), ErrorCode::kModel, "manifest of model '", manifest.id,
        "': 'decoder' is missing, must be one of: yolox, rtdetr, dfine");
  const bool yolox = fields.choice("decoder", {"yolox", "rtdetr", "dfine"}) == "yolox";
  settings.family = yolox ? DetectorFamily::kYolox : DetectorFamily::kDetr;
  settings.input = parse_input(fields.object("input"), settings.family);
  settings.decoded = fields.flag("decoded", false);
  settings.strides = fields.whole_numbers("strides", {8, 16, 32}, 1, 1024);
  settings.score_threshold = fields.number("score_threshold", 0.1f, 0.001, 1);
  settings.nms_overlap = fields.number("nms_overlap", yolox ? 0.45f : 0.0f, 0, 1);
  settings.nms_across_classes = fields.flag("nms_across_classes", true);
  // Coordinates worked out inside the graph would be rounded to 8 bits in bf16.
  const bool exact = !yolox || settings.decoded;
  const auto precisions =
      exact ? std::vector<std::string>{"exact", "fast"} : std::vector<std::string>{"fast", "exact"};
  settings.precision =
      fields.choice("precision", precisions) == "exact" ? Precision::kExact : Precision::kFast;
  settings.classes = fields.is("classes", "coco") ? coco_classes() : fields.names("classes");
  return settings;
}

const std::vector<std::string>& coco_classes() {
  static const std::vector<std::string> names = {"person",        "bicycle",      "car",
                                                 "motorcycle",    "airplane",     "bus",
                                                 "train",         "truck",        "boat",
                                                 "traffic light", "fire hydrant", "stop sign",
                                                 "parking meter", "bench",        "bird",
                                                 "cat",           "dog",          "horse",
                                                 "sheep",         "cow",          "elephant",
                                                 "bear",          "zebra",        "giraffe",
                                                 "backpack",      "umbrella",     "handbag",
                                                 "tie",           "suitcase",     "frisbee",
                                                 "skis",          "snowboard",    "sports ball",
                                                 "kite",          "baseball bat", "baseball glove",
                                                 "skateboard",    "surfboard",    "tennis racket",
                                                 "bottle",        "wine glass",   "cup",
                                                 "fork",          "knife",        "spoon",
                                                 "bowl",          "banana",       "apple",
                                                 "sandwich",      "orange",       "broccoli",
                                                 "carrot",        "hot dog",      "pizza",
                                                 "donut",         "cake",         "chair",
                                                 "couch",         "potted plant", "bed",
                                                 "dining table",  "toilet",       "tv",
                                                 "laptop",        "mouse",        "remote",
                                                 "keyboard",      "cell phone",   "microwave",
                                                 "oven",          "toaster",      "sink",
                                                 "refrigerator",  "book",         "clock",
                                                 "vase",          "scissors",     "teddy bear",
                                                 "hair drier",    "toothbrush"};
  return names;
}

}  // namespace prismvid::vision

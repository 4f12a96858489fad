#pragma once

#include <memory>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/thread_team.h"
#include "vision/text/text_engine.h"

namespace prismvid::vision {

/// PP-OCR line recognition: height 48, CTC. Lines are read one by one, so that a line's text never
/// depends on its neighbours in a batch; as many at once as there are threads.
class TextRecognizer {
 public:
  TextRecognizer(const ModelManifest& model, const TextEngineOptions& options);

  /// Upright RGB lines (see crop_line) -> text in NFC and mean confidence of its characters.
  std::vector<RecognizedText> recognize(std::span<const cv::Mat> lines);

 private:
  struct Worker {
    std::unique_ptr<Network> network;
    std::vector<float> input;
  };
  RecognizedText recognize_line(Worker& worker, const cv::Mat& line) const;
  RecognizedText decode(const Tensor& probabilities, const Tensor& classes) const;

  ThreadTeam team_;
  std::vector<Worker> workers_;  // one a member of the team
  std::vector<std::string> characters_;  // by class; 0 is CTC's blank
  int height_ = 48;
  float mean_ = 0.5f;
  float deviation_ = 0.5f;
};

/// Width a line is padded to: at least 320 as in training, in steps that keep the number of shapes
/// small.
int padded_width(int width);

}  // namespace prismvid::vision

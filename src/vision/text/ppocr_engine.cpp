#include <opencv2/core.hpp>
#include <optional>

#include "vision/text/line_crop.h"
#include "vision/text/line_orientation.h"
#include "vision/text/text_detector.h"
#include "vision/text/text_engine.h"
#include "vision/text/text_recognizer.h"

namespace prismvid::vision {
namespace {

/// A reading this certain is upright: upside-down lines read as noise.
constexpr float kSurelyUpright = 0.9f;

/// Of width and height: what is not longer is a single glyph or a texture, of which upside down says nothing.
constexpr double kLineAspect = 1.5;

bool may_be_upside_down(const cv::Mat& line, const RecognizedText& reading) {
  return reading.confidence < kSurelyUpright && line.cols > kLineAspect * line.rows;
}

class PpOcrEngine : public TextEngine {
 public:
  PpOcrEngine(const ModelRegistry& registry, const TextEngineOptions& options)
      : detector_(registry.require("text_detection"), options),
        recognizer_(registry.require("text_recognition"), options),
        orientation_(registry.require("text_orientation"), options) {}

  std::vector<TextBox> detect(ImageView picture) override { return detector_.detect(picture); }

  std::vector<RecognizedText> recognize(ImageView picture, std::span<const Quad> quads) override {
    std::vector<cv::Mat> lines;
    for (const Quad& quad : quads) lines.push_back(crop_line(picture, quad));
    std::vector<RecognizedText> results = recognizer_.recognize(lines);
    turn_upside_down_lines(lines, results);
    return results;
  }

 private:
  /// The orientation is asked only where the reading is doubtful, which spares the classifier on
  /// most lines.
  void turn_upside_down_lines(std::span<const cv::Mat> lines,
                              std::vector<RecognizedText>& results) {
    std::vector<cv::Mat> turned;
    std::vector<size_t> indices;
    for (size_t i = 0; i < lines.size(); ++i) {
      if (!may_be_upside_down(lines[i], results[i]) || !orientation_.upside_down(lines[i])) continue;
      cv::rotate(lines[i], turned.emplace_back(), cv::ROTATE_180);
      indices.push_back(i);
    }
    const std::vector<RecognizedText> again = recognizer_.recognize(turned);
    for (size_t i = 0; i < again.size(); ++i)
      if (again[i].confidence > results[indices[i]].confidence) results[indices[i]] = again[i];
  }

  TextDetector detector_;
  TextRecognizer recognizer_;
  LineOrientation orientation_;
};

}  // namespace

std::vector<TextLine> TextEngine::read(ImageView picture) {
  std::vector<Quad> quads;
  for (const TextBox& box : detect(picture)) quads.push_back(box.quad);
  const std::vector<RecognizedText> texts = recognize(picture, quads);
  std::vector<TextLine> lines;
  for (size_t i = 0; i < quads.size(); ++i)
    if (texts[i].confidence >= kMinTextConfidence && !texts[i].text.empty())
      lines.push_back({quads[i], texts[i].text, texts[i].confidence});
  return lines;
}

std::unique_ptr<TextEngine> make_text_engine(const ModelRegistry& registry,
                                             const TextEngineOptions& options) {
  return std::make_unique<PpOcrEngine>(registry, options);
}

}  // namespace prismvid::vision

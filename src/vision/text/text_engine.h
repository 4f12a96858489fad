#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "core/image.h"
#include "vision/models/manifest.h"
#include "vision/network/network.h"

namespace prismvid::vision {

/// Where a line of text stands: corners in pixels of the picture, clockwise from the top left one.
struct TextBox {
  Quad quad{};
  float score = 0;
};

/// What a line says: UTF-8 in NFC, empty where nothing could be read; confidence 0..1.
struct RecognizedText {
  std::string text;
  float confidence = 0;
};

struct TextLine {
  Quad quad{};  // pixels of the picture
  std::string text;
  float confidence = 0;
};

/// Reads text in RGB pictures: the seam between PP-OCR and other readers (Apple's Vision, say). One
/// caller at a time.
class TextEngine {
 public:
  virtual ~TextEngine() = default;
  /// Lines of text in reading order.
  virtual std::vector<TextBox> detect(ImageView picture) = 0;
  /// One result a quad, in the same order. Vertical and upside-down lines are turned first.
  virtual std::vector<RecognizedText> recognize(ImageView picture, std::span<const Quad> quads) = 0;

  /// detect() and recognize() in one, without the lines that are too uncertain to be text.
  std::vector<TextLine> read(ImageView picture);
};

/// Readings less certain than this are noise (rapidocr's `text_score`).
inline constexpr float kMinTextConfidence = 0.5f;

struct TextEngineOptions {
  Precision precision = Precision::kFast;
  int threads = 0;           // 0 = all that this process may use
  int detection_side = 640;  // the picture's longest side for detection; larger finds smaller text
  int lines_at_once = 0;     // each read on a thread of its own; 0 = as `threads`
  ActivationRanges* observed = nullptr;  // see NetworkOptions; of one network, which reads one line at once
};

inline NetworkOptions network_options(const TextEngineOptions& options) {
  NetworkOptions result;
  result.precision = options.precision;
  result.threads = options.threads;
  result.observed = options.observed;
  return result;
}

/// PP-OCR from the installed models; throws Error(kModel) where one is missing or damaged.
std::unique_ptr<TextEngine> make_text_engine(const ModelRegistry& registry,
                                             const TextEngineOptions& options = {});

}  // namespace prismvid::vision

#include "vision/text/text_recognizer.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "core/cpu.h"
#include "core/error.h"
#include "vision/models/int8_ranges.h"
#include "vision/text/opencv_image.h"
#include "vision/text/recognition_network.h"
#include "vision/text/unicode.h"

namespace prismvid::vision {
namespace {

constexpr int kMinWidth = 320;
constexpr int kWidthStep = 64;
constexpr int kMaxWidth = 3200;
constexpr int kMostUsualWidth = 576;  // some 35 letters

std::vector<std::string> read_characters(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  check(file.is_open(), ErrorCode::kModel, "cannot read the characters of the text model: '",
        path.string(), "'");
  std::vector<std::string> characters{""};
  for (std::string line; std::getline(file, line);) characters.push_back(line);
  characters.push_back(" ");
  return characters;
}

/// A line of a new width takes four times as long: the network is prepared for the usual ones.
void read_nothing_of_usual_widths(Network& network, int height) {
  for (int width = kMinWidth; width <= kMostUsualWidth; width += kWidthStep) {
    const std::vector<float> nothing(static_cast<size_t>(3 * height * width), 0.0f);
    const TensorView view{{1, 3, height, width}, nothing};
    network.run({&view, 1});
  }
}

int lines_at_once(const TextEngineOptions& options) {
  if (options.lines_at_once > 0) return options.lines_at_once;
  return options.threads > 0 ? options.threads : available_threads();
}

}  // namespace

int padded_width(int width) {
  const int stepped = (width + kWidthStep - 1) / kWidthStep * kWidthStep;
  return std::clamp(stepped, kMinWidth, kMaxWidth);
}

TextRecognizer::TextRecognizer(const ModelManifest& model, const TextEngineOptions& options)
    : team_(static_cast<size_t>(lines_at_once(options))) {
  check(model.files.size() >= 2, ErrorCode::kModel, "text recognition model '", model.id,
        "' needs two files, the network and its characters, has ", model.files.size());
  characters_ = read_characters(model.path(1));
  height_ = model.parameters->value("height", height_);
  mean_ = model.parameters->value("mean", mean_);
  deviation_ = model.parameters->value("std", deviation_);
  NetworkOptions one_thread = network_options(options);
  one_thread.threads = 1;
  one_thread.int8_ranges = int8_ranges(model);
  std::vector<std::future<std::unique_ptr<Network>>> loading;
  for (size_t i = 0; i < team_.size(); ++i)
    loading.push_back(std::async(std::launch::async, [&] {
      auto network = load_recognition_network(model.path(0), characters_.size(), one_thread);
      if (options.observed == nullptr) read_nothing_of_usual_widths(*network, height_);
      return network;
    }));
  for (auto& network : loading) workers_.push_back({network.get(), {}});
}

std::vector<RecognizedText> TextRecognizer::recognize(std::span<const cv::Mat> lines) {
  std::vector<size_t> longest_first(lines.size());
  std::iota(longest_first.begin(), longest_first.end(), size_t{0});
  auto aspect = [&](size_t i) { return lines[i].cols / static_cast<double>(lines[i].rows); };
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [&](size_t a, size_t b) { return aspect(a) > aspect(b); });
  std::vector<RecognizedText> results(lines.size());
  team_.run(lines.size(), [&](size_t member, size_t i) {
    const size_t line = longest_first[i];
    results[line] = recognize_line(workers_[member], lines[line]);
  });
  return results;
}

RecognizedText TextRecognizer::recognize_line(Worker& worker, const cv::Mat& line) const {
  const double aspect = line.cols / static_cast<double>(line.rows);
  const int width = std::clamp(static_cast<int>(std::ceil(height_ * aspect)), 1, kMaxWidth);
  const int padded = padded_width(width);
  cv::Mat resized;
  cv::resize(line, resized, {width, height_}, 0, 0, cv::INTER_LINEAR);
  const size_t plane = static_cast<size_t>(padded) * height_;
  worker.input.assign(3 * plane, 0.0f);
  pack_bgr(resized, mean_, deviation_, padded, plane, worker.input.data());
  const TensorView view{{1, 3, height_, padded}, worker.input};
  const std::vector<Tensor> outputs = worker.network->run({&view, 1});
  return decode(outputs.at(0), outputs.at(1));
}

RecognizedText TextRecognizer::decode(const Tensor& probabilities, const Tensor& classes) const {
  std::string text;
  double sum = 0;
  int count = 0;
  size_t previous = 0;
  for (size_t step = 0; step < classes.data.size(); ++step) {
    const size_t index = static_cast<size_t>(classes.data[step]);
    if (index != 0 && index != previous) {
      text += characters_[index];
      sum += probabilities.data[step];
      ++count;
    }
    previous = index;
  }
  return {to_nfc(text), count > 0 ? static_cast<float>(sum / count) : 0.0f};
}

}  // namespace prismvid::vision

#include "vision/shots/transnet_shot_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "vision/models/manifest.h"

namespace prismvid::vision {
namespace {

constexpr size_t kFrameValues = static_cast<size_t>(TransNet::kWidth) * TransNet::kHeight * 3;
constexpr size_t kBins = 512;
constexpr int64_t kLongestRun = 80;  // frames: a longer one is ended so that frames get settled
constexpr int64_t kLongestCut = 3;   // the model often marks a cut on two or three frames
constexpr float kCandidateChange = 0.06f;  // mean change to the frame before, or to the last
                                           // candidate, that may begin a shot
constexpr double kPlainDeviation = 8;

std::vector<uint8_t> bytes_of(ImageView picture) {
  std::vector<uint8_t> bytes;
  for (int y = 0; y < picture.height; ++y)
    bytes.insert(bytes.end(), picture.row(y), picture.row(y) + picture.width * 3);
  return bytes;
}

/// Mean absolute difference, 0..1; 0 where there is no picture before.
float change_between(const std::vector<uint8_t>& before, const std::vector<uint8_t>& after) {
  int64_t total = 0;
  for (size_t i = 0; i < before.size(); ++i) total += std::abs(after[i] - before[i]);
  return static_cast<float>(total) / (255.0f * kFrameValues);
}

bool is_plain(const std::vector<uint8_t>& picture) {
  double sum = 0;
  double squares = 0;
  for (const uint8_t v : picture) {
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const double mean = sum / kFrameValues;
  return squares / kFrameValues - mean * mean < kPlainDeviation * kPlainDeviation;
}

}  // namespace

TransNet::TransNet(std::unique_ptr<Network> network) : network_(std::move(network)) {
  const Shape frames{1, kWindow, kHeight, kWidth, 3};
  check(network_->input_names().size() == 2 && network_->input_shape(0) == frames,
        ErrorCode::kModel,
        "the shot model must take frames of 1x100x27x48x3 and histograms of 1x100x512: prepare it "
        "again");
}

std::vector<TransNetProbability> TransNet::add(ImageView picture) {
  push(picture);
  for (int i = 0; added_ == 0 && i < kPadding; ++i) push_again();
  ++added_;
  return window_frames_ == kWindow ? run_window() : std::vector<TransNetProbability>();
}

std::vector<TransNetProbability> TransNet::finish() {
  std::vector<TransNetProbability> result;
  // All windows but the last one were run; each gave kStep frames.
  int64_t left = added_ - std::max<int64_t>(0, (added_ - kPadding) / kStep) * kStep;
  while (left > 0) {
    while (window_frames_ < kWindow) push_again();
    const auto known = run_window();
    const auto count = std::min<int64_t>(left, kStep);
    result.insert(result.end(), known.begin(), known.begin() + count);
    left -= count;
  }
  return result;
}

void TransNet::push(ImageView picture) {
  const size_t histogram = histograms_.size();
  histograms_.resize(histogram + kBins, 0.0f);
  for (int y = 0; y < kHeight; ++y) {
    const uint8_t* p = picture.row(y);
    frames_.insert(frames_.end(), p, p + kWidth * 3);
    for (int x = 0; x < kWidth; ++x, p += 3)
      histograms_[histogram +
                  static_cast<size_t>((p[0] >> 5 << 6) + (p[1] >> 5 << 3) + (p[2] >> 5))] += 1;
  }
  float squares = 0;
  for (size_t i = histogram; i < histograms_.size(); ++i)
    squares += histograms_[i] * histograms_[i];
  for (size_t i = histogram; i < histograms_.size(); ++i) histograms_[i] /= std::sqrt(squares);
  ++window_frames_;
}

void TransNet::push_again() {
  frames_.resize(frames_.size() + kFrameValues);
  std::copy_n(frames_.end() - 2 * kFrameValues, kFrameValues, frames_.end() - kFrameValues);
  histograms_.resize(histograms_.size() + kBins);
  std::copy_n(histograms_.end() - 2 * kBins, kBins, histograms_.end() - kBins);
  ++window_frames_;
}

std::vector<TransNetProbability> TransNet::run_window() {
  const std::array<TensorView, 2> inputs{
      TensorView{{1, kWindow, kHeight, kWidth, 3}, frames_},
      TensorView{{1, kWindow, static_cast<int64_t>(kBins)}, histograms_}};
  const auto outputs = network_->run(inputs);
  std::vector<TransNetProbability> result;
  for (size_t i = kPadding; i < kPadding + kStep; ++i)
    result.push_back({outputs[0].data[i], outputs[1].data[i]});
  frames_.erase(frames_.begin(), frames_.begin() + kStep * kFrameValues);
  histograms_.erase(histograms_.begin(), histograms_.begin() + kStep * kBins);
  window_frames_ -= kStep;
  return result;
}

TransNetShotDetector::TransNetShotDetector(std::unique_ptr<Network> network, float threshold)
    : net_(std::move(network)), threshold_(threshold) {}

void TransNetShotDetector::add(const ShotFrame& frame) {
  check(frame.picture.size() == picture_size() && frame.picture.channels == 3,
        ErrorCode::kInvalidArgument, "the accurate shot detector takes RGB pictures of 48x27, got ",
        frame.picture.width, "x", frame.picture.height, " with ", frame.picture.channels,
        " channels");
  const bool first = previous_.empty();
  std::vector<uint8_t> picture = bytes_of(frame.picture);
  const float change = change_between(previous_, picture);
  previous_ = std::move(picture);
  timeline_.add(frame, change);
  markers_.add(frame);
  plain_.push_back(is_plain(previous_));
  wants_candidate_ = first || change >= kCandidateChange ||
                     change_between(candidate_, previous_) >= kCandidateChange;
  if (wants_candidate_) candidate_ = previous_;
  judge(net_.add(frame.picture));
}

void TransNetShotDetector::judge(const std::vector<TransNetProbability>& probabilities) {
  for (const TransNetProbability& p : probabilities) {
    if (std::max(p.single, p.many) > threshold_ && (!run_ || judged_ - run_->begin < kLongestRun)) {
      if (!run_) run_ = Run{judged_, judged_, 0, false};
      if (p.single > run_->probability) {
        run_->peak = judged_;
        run_->probability = p.single;
      }
      run_->plain = run_->plain || plain_.front();
    } else if (run_) {
      close_run(judged_);
    }
    plain_.pop_front();
    ++judged_;
  }
  timeline_.settle_before(run_ ? run_->begin : judged_);
}

void TransNetShotDetector::close_run(int64_t end) {
  const Run run = *run_;
  run_.reset();
  if (run.probability <= threshold_ || run.begin == 0) return;
  Boundary boundary{run.peak + 1, TransitionKind::kCut, 0, 0, run.probability};
  if (end - run.begin > kLongestCut) {
    // The marked run holds one frame of each shot beside the mixed ones.
    boundary.range_begin = run.begin + 1;
    boundary.range_end = end;
    boundary.position = (boundary.range_begin + boundary.range_end) / 2;
    boundary.kind = run.plain ? TransitionKind::kFade : TransitionKind::kDissolve;
  }
  if (boundary.position < timeline_.added()) timeline_.add_boundary(boundary);
}

void TransNetShotDetector::finish() {
  judge(net_.finish());
  if (run_) close_run(judged_);
  timeline_.finish();
  markers_.finish();
}

std::unique_ptr<ShotDetector> make_accurate_shot_detector(const ModelManifest& manifest,
                                                          int threads) {
  // f32: the same probabilities as the reference, at three times the cost of bf16.
  auto network =
      load_network(manifest.path(), {.precision = Precision::kExact, .threads = threads});
  return std::make_unique<TransNetShotDetector>(std::move(network),
                                                manifest.parameters->value("threshold", 0.5f));
}

}  // namespace prismvid::vision

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "vision/network/network.h"
#include "vision/shots/marker_detector.h"
#include "vision/shots/shot_timeline.h"

namespace prismvid::vision {

/// What TransNetV2 says of one frame, 0..1.
struct TransNetProbability {
  float single = 0;  // it is the last frame before a boundary
  float many = 0;    // it is part of a transition
};

/// Runs TransNetV2 (Soucek and Lokoc 2020) over windows of 100 frames, 50 apart, and keeps the
/// middle 50, with the first and the last frame repeated where the window exceeds the video.
class TransNet {
 public:
  static constexpr int kWidth = 48;
  static constexpr int kHeight = 27;

  explicit TransNet(std::unique_ptr<Network> network);

  /// Returns the probabilities of the frames that became known: none or those of a window.
  std::vector<TransNetProbability> add(ImageView picture);
  std::vector<TransNetProbability> finish();

 private:
  static constexpr int kWindow = 100;
  static constexpr int kStep = 50;
  static constexpr int kPadding = 25;

  void push(ImageView picture);
  void push_again();
  std::vector<TransNetProbability> run_window();

  std::unique_ptr<Network> network_;
  std::vector<float> frames_;      // of the window so far
  std::vector<float> histograms_;  // one L2-normalised colour histogram for each of them
  int window_frames_ = 0;
  int64_t added_ = 0;
};

/// `--shots accurate`.
class TransNetShotDetector : public ShotDetector {
 public:
  /// `threshold`: of both probabilities.
  TransNetShotDetector(std::unique_ptr<Network> network, float threshold);

  Size picture_size() const override { return {TransNet::kWidth, TransNet::kHeight}; }
  void add(const ShotFrame& frame) override;
  bool wants_candidate() const override { return wants_candidate_; }
  void finish() override;
  int64_t settled_until_us() const override { return timeline_.settled_until_us(); }
  int shot_index_at(int64_t pts_us) const override { return timeline_.shot_index_at(pts_us); }
  std::vector<SettledShot> take_settled() override { return timeline_.take_settled(); }
  std::vector<Marker> take_markers() override { return markers_.take(); }

 private:
  /// A run of frames that belong to one transition.
  struct Run {
    int64_t begin = 0;  // first frame over the threshold in either probability
    int64_t peak = 0;   // frame of the highest single probability
    float probability = 0;
    bool plain = false;  // it goes through black or another plain colour
  };

  void judge(const std::vector<TransNetProbability>& probabilities);
  void close_run(int64_t end);

  TransNet net_;
  float threshold_;
  MarkerDetector markers_;
  ShotTimeline timeline_;
  std::deque<bool> plain_;         // of the frames that were not judged yet
  std::vector<uint8_t> previous_;  // picture of the last frame
  std::vector<uint8_t> candidate_;  // and of the last candidate
  std::optional<Run> run_;
  int64_t judged_ = 0;
  bool wants_candidate_ = false;
};

}  // namespace prismvid::vision

#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "pipeline/clock.h"
#include "pipeline/detector_stage.h"

namespace prismvid::pipeline {

/// One detector of a pass and how it went.
struct RunningStage {
  std::string name;
  std::unique_ptr<DetectorStage> stage;
  std::vector<float> ms_per_sample;
  std::optional<Error> error;  // it failed: the pass goes on without it
};

/// A sample on its way through the detectors of a pass, which share it.
struct SampleWork {
  vision::Sample sample;  // its picture is the one below
  Image picture;
  std::vector<vision::LumaFrame> frames;  // since the sample before
};

/// Gives samples to one detector, in their order, on a thread of its own: a sample that is slow for one detector holds
/// up neither the others nor the decoder. One caller at a time.
class StageWorker {
 public:
  /// push() waits while `most_waiting` samples, at least 1, wait or are looked at.
  StageWorker(RunningStage& stage, size_t most_waiting);
  /// What still waits is left out.
  ~StageWorker();

  /// Both throw what the detector threw, Error aside, which goes to RunningStage::error.
  void push(std::shared_ptr<const SampleWork> work);
  /// Returns when nothing waits any more.
  void wait();
  /// What the detector has given early since the last call.
  std::vector<Blob> take_early_blobs();

 private:
  void run(const std::stop_token& stop);
  void keep_early_blobs();
  void look_at(const std::shared_ptr<const SampleWork>& work);
  void wait_until_fewer_than(size_t count);

  RunningStage& stage_;
  size_t most_waiting_;
  std::mutex mutex_;  // guards queue_, early_blobs_ and problem_
  std::condition_variable_any changed_;
  std::deque<std::shared_ptr<const SampleWork>> queue_;  // its first is being looked at
  std::vector<Blob> early_blobs_;
  std::exception_ptr problem_;
  std::jthread thread_;  // last: stops before the rest goes
};

}  // namespace prismvid::pipeline

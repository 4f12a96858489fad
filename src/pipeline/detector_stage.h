#pragma once

#include <span>
#include <vector>

#include "core/stage_output.h"
#include "vision/sample.h"

namespace prismvid::pipeline {

/// A detector that runs during the decode pass.
class DetectorStage {
 public:
  virtual ~DetectorStage() = default;
  /// `frames` is every frame since the last sample, up to this one; empty unless needs_luma().
  virtual void add(const vision::Sample& sample, std::span<const vision::LumaFrame> frames) = 0;
  /// After the last sample. `frames` is what came after it, `end_us` the end of the last frame.
  virtual StageOutput finish(std::span<const vision::LumaFrame> frames, int64_t end_us) = 0;
  virtual bool needs_luma() const { return false; }
  /// Parts of the result that finish() leaves out, since the last call: so pictures need not wait in memory.
  virtual std::vector<Blob> take_early_blobs() { return {}; }
};

}  // namespace prismvid::pipeline

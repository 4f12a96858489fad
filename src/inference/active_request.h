#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "inference/generation.h"
#include "inference/loaded_model.h"
#include "inference/media_loader.h"

// Inside inference only.
namespace prismvid::inference {

/// What a request needs to start.
struct RequestStart {
  Conversation conversation;
  PlannedPrompt planned;  // of the conversation
  GenerateOptions options;
  TokenCallback on_token;
  std::stop_token stop;
  std::function<void()> on_media;  // called from another thread when can_work() may have changed
};

/// One request on its way through the model, in pieces short enough to take turns: parts of media,
/// chunks of the prompt, single tokens. Holds all state of its sequence. Used by the thread that
/// owns the device.
class ActiveRequest {
 public:
  enum class Phase { kVision, kPrefill, kDecode, kDone };

  /// `model` must outlive this. Throws Error(kInvalidArgument or kModel) for what cannot run.
  ActiveRequest(const LoadedModel& model, RequestStart start);

  Phase phase() const { return phase_; }
  /// Whether work() has something to do at once.
  bool can_work() const;
  /// Encodes one part of the media, or runs one chunk of the prompt; where a part is not decoded
  /// yet, waits for it. Throws what decoding and the model throw.
  void work();

  /// Logits behind the newest token, (1, 1, vocabulary), of the token last taken.
  mx::array step();
  /// Takes the next token from logits of step().
  void take(const mx::array& logits);

  bool is_cancelled() const { return stop_.stop_requested(); }
  /// Ends the answer where it is.
  void cancel();

  /// The answer of a request that is done.
  Answer finish();

 private:
  using Clock = std::chrono::steady_clock;
  void encode_part();
  void run_chunk();
  double end_phase(Phase next);

  const LoadedModel& model_;
  qwen3_vl::Prompt prompt_;
  GenerateOptions options_;
  std::stop_token stop_;
  Generation generation_;
  std::optional<MediaStream> media_;
  std::vector<qwen3_vl::VisionFeatures> parts_;
  std::optional<qwen3_vl::VisionFeatures> features_;
  qwen3_vl::Sequence sequence_;
  Phase phase_ = Phase::kPrefill;
  Clock::time_point start_ = Clock::now();
  Clock::time_point phase_start_ = start_;
  Timings timings_;
};

}  // namespace prismvid::inference

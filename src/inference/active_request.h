#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "inference/caches.h"
#include "inference/generation.h"
#include "inference/loaded_model.h"
#include "inference/media_loader.h"
#include "inference/prefix_cache.h"
#include "models/qwen3_vl/device_decoder.h"

// Inside inference only.
namespace prismvid::inference {

/// What a request needs to start.
struct RequestStart {
  Conversation conversation;
  PlannedPrompt planned;  // of the conversation
  GenerateOptions options;
  TokenCallback on_token;
  std::stop_token stop;
  std::string feature_owner;  // as ArrayCache has it
  std::string prefix_owner;
  std::function<void()> on_media;  // called from another thread when can_work() may have changed
};

/// What one step gives its requests: logits, some rows for each, or tokens that the device picked.
class StepLogits {
 public:
  /// `values` (1, rows, vocabulary), evaluated; request i has rows_of[i] of them, in order.
  StepLogits(mx::array values, const std::vector<size_t>& rows_of);
  /// One row for each request.
  explicit StepLogits(std::vector<std::vector<float>> rows) : rows_(std::move(rows)) {}
  /// The token of each request.
  explicit StepLogits(std::vector<int> picked) : picked_(std::move(picked)) {}

  /// The token of one request, where there are no rows.
  std::optional<int> picked(size_t request) const;
  /// The rows of one request, one behind the other.
  std::span<float> of(size_t request);

 private:
  std::optional<mx::array> values_;
  std::vector<size_t> starts_;  // of each request's values, and the end
  std::vector<std::vector<float>> rows_;
  std::vector<int> picked_;
};

/// One request on its way through the model, in pieces short enough to take turns: parts of media,
/// chunks of the prompt, single tokens. Holds all state of its sequence. Used by the thread that
/// owns the device.
class ActiveRequest {
 public:
  enum class Phase { kVision, kPrefill, kDecode, kDone };

  /// `model` must outlive this. Throws Error(kInvalidArgument or kModel) for what cannot run.
  /// `caches` may be null: then everything is computed.
  ActiveRequest(const LoadedModel& model, RequestStart start, Caches* caches = nullptr);
  ~ActiveRequest();
  ActiveRequest(const ActiveRequest&) = delete;
  ActiveRequest& operator=(const ActiveRequest&) = delete;

  Phase phase() const { return phase_; }
  /// Whether work() has something to do at once.
  bool can_work() const;
  /// Encodes one part of the media, or runs one chunk of the prompt; where a part is not decoded
  /// yet, waits for it. Throws what decoding and the model throw.
  void work();

  /// Runs the newest token of each through the layers together, with what is guessed to follow it,
  /// all of them in Phase::kDecode; returns what is behind each. Sequences may differ in length.
  /// Throws what the model throws; then none of them can go on.
  static StepLogits step(const LoadedModel& model, const std::vector<ActiveRequest*>& requests);
  /// Takes the next token of request `index` of step(), and as many more as were guessed right.
  /// Throws what the token callback throws.
  void take(StepLogits& step, size_t index);

  bool is_cancelled() const { return stop_.stop_requested(); }
  /// Ends the answer where it is.
  void cancel();

  /// The answer of a request that is done.
  Answer finish();

 private:
  using Clock = std::chrono::steady_clock;
  void encode_part();
  void find_prefix();
  void keep_prefix();
  void run_chunk();
  static StepLogits step_on(qwen3_vl::DeviceDecoder& decoder,
                            const std::vector<ActiveRequest*>& requests);
  qwen3_vl::TokenPick token_pick();
  bool takes_pick_of(const qwen3_vl::DeviceDecoder& decoder) const;
  bool take_one(std::span<float> logits);
  double end_phase(Phase next);

  const LoadedModel& model_;
  Caches* caches_;
  const std::string feature_owner_;
  const std::string prefix_owner_;
  qwen3_vl::Prompt prompt_;
  GenerateOptions options_;
  std::stop_token stop_;
  Generation generation_;
  std::optional<MediaStream> media_;
  std::vector<qwen3_vl::VisionFeatures> parts_;
  std::optional<qwen3_vl::VisionFeatures> features_;
  std::vector<std::string> media_keys_;  // one for each span
  std::optional<BlockKeys> block_keys_;  // of the tokens so far
  int cached_tokens_ = 0;
  qwen3_vl::Sequence sequence_;
  Phase phase_ = Phase::kPrefill;
  Clock::time_point start_ = Clock::now();
  Clock::time_point phase_start_ = start_;
  Timings timings_;
};

}  // namespace prismvid::inference

#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <string>

#include "inference/vision_language_model.h"

namespace prismvid::inference {

/// Who waits for an answer. A person's request goes before all batch requests, and batch requests
/// never take the last places.
enum class Priority { kInteractive, kBatch };

struct EngineRequest {
  Conversation conversation;
  GenerateOptions options;  // start from Engine::defaults()
  Priority priority = Priority::kInteractive;
};

struct EngineOptions {
  int queue_limit = 256;  // requests that wait; more are refused
  int batch_limit = 8;    // requests that are worked on at once
};

/// What the engine has done since it started, and does now.
struct EngineMetrics {
  int waiting = 0;
  int active = 0;
  uint64_t answered = 0;  // to their end
  uint64_t cancelled = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;        // the queue was full
  uint64_t prompt_tokens = 0;  // of all requests that were started
  uint64_t tokens = 0;         // generated
  uint64_t decode_steps = 0;   // each of one token for all that decode
  double queue_ms = 0;         // sums over all requests, as Timings has them
  double vision_ms = 0;
  double prefill_ms = 0;
  double decode_ms = 0;
};

/// A request that was handed in. Movable; letting go of it does not cancel the request.
class Ticket {
 public:
  /// Waits for the answer, once; a stop request cancels. Throws what made the request fail: Error
  /// kUnreadable, kNotVideo or kModel. What a token callback threw comes out here too.
  Answer get(std::stop_token stop = {});
  /// Ends the request soon, wherever it is: its answer has FinishReason::kCancelled and the tokens
  /// so far.
  void cancel();

 private:
  friend class Engine;
  struct Shared;
  std::shared_ptr<Shared> shared_;
  std::future<Answer> answer_;
};

/// One model and many requests. One thread owns the device; requests wait in a bounded queue by
/// priority, take turns in pieces (parts of media, chunks of prompts, steps of all that decode), so
/// that a long prompt never holds up the others for longer than one chunk, and fail alone. All
/// functions are thread-safe.
class Engine {
 public:
  /// Loads the model on the engine's thread; as VisionLanguageModel::load().
  explicit Engine(const std::string& model, const LoadOptions& load = {},
                  const EngineOptions& options = {});
  /// Cancels what is left and waits for it.
  ~Engine();

  const PromptPlanner& planner() const;
  GenerateOptions defaults() const;

  /// Hands a request in. Reads the media's times on the calling thread, to count tokens. `on_token`
  /// is called on the engine's thread: it must be quick and must not wait for the engine. Throws
  /// Error: kInvalidArgument, kNotFound, kUnreadable, kNotVideo or kModel for what cannot be
  /// answered, kUnavailable when the queue is full.
  Ticket submit(EngineRequest request, TokenCallback on_token = {});

  EngineMetrics metrics() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace prismvid::inference

#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <string>

#include "core/file_cache.h"
#include "core/histogram.h"
#include "inference/vision_language_model.h"

namespace prismvid::inference {

/// Who waits for an answer. A person's request goes before all batch requests, and batch requests
/// never take the last places.
enum class Priority { kInteractive, kBatch };

struct EngineRequest {
  Conversation conversation;
  GenerateOptions options;  // start from Engine::defaults()
  Priority priority = Priority::kInteractive;
  /// To whom belongs what is kept of it on the disk, as FileCache has it; empty: nothing is. Of a
  /// batch request only features are: keys and values would be too much.
  std::string owner = {};
};

/// 1 GB; on a GPU of NVIDIA 4 GB.
uint64_t default_prefix_bytes();

/// What becomes of what is in memory: a copy on the disk where it has an owner, or none.
enum class Emptying { kNone, kToDisk, kForget };

/// What requests share: vision features of equal frames, keys and values of equal beginnings.
/// Nothing is computed twice that one of them holds.
struct CacheOptions {
  uint64_t feature_bytes = 512u << 20;  // in memory; 0: none
  uint64_t prefix_bytes = default_prefix_bytes();
  /// What leaves memory goes here, of requests that have an owner; null: it is dropped.
  std::shared_ptr<FileCache> files = {};
};

struct EngineOptions {
  int queue_limit = 256;  // requests that wait; more are refused
  int batch_limit = 8;    // requests that are worked on at once
  /// For weights, requests and caches together, by estimate; 0: four fifths of this machine's. What
  /// does not fit now waits, what never fits is refused.
  uint64_t memory_bytes = 0;
  CacheOptions caches;
};

/// What the engine has done since it started, and does now.
struct EngineMetrics {
  int waiting = 0;
  int active = 0;
  uint64_t answered = 0;  // to their end
  uint64_t cancelled = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;               // the queue was full
  uint64_t prompt_tokens = 0;         // of all requests that were started
  uint64_t tokens = 0;                // generated
  uint64_t drafted_tokens = 0;        // guessed ahead
  uint64_t accepted_tokens = 0;       // of those, in answers
  int largest_batch = 0;              // requests of one step
  uint64_t cached_prompt_tokens = 0;  // not computed again
  uint64_t feature_hit_bytes = 0;
  uint64_t prefix_hit_bytes = 0;
  uint64_t cache_bytes = 0;    // held in memory now
  uint64_t request_bytes = 0;  // estimated for what is active now
  uint64_t weight_bytes = 0;
  uint64_t memory_budget_bytes = 0;
  double queue_ms = 0;  // sums over all requests, as Timings has them
  double vision_ms = 0;
  double prefill_ms = 0;
  double decode_ms = 0;
  Histogram step_requests{{1, 2, 4, 8, 16, 32, 64}};  // of each decode step
  /// From being handed in to the first token, of each request that got one.
  Histogram first_token_seconds{{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120}};
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
  /// answered, kUnavailable when the queue is full or it needs more memory than there ever is.
  Ticket submit(EngineRequest request, TokenCallback on_token = {});

  EngineMetrics metrics() const;

  /// Soon empties the memory of features, keys and values; requests that are being worked on keep
  /// theirs afterwards.
  void empty_caches(Emptying how);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace prismvid::inference

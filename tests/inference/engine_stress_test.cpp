#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "core/error.h"
#include "inference/engine.h"
#include "inference/tiny_checkpoint.h"

// Many requests from several threads on a tiny model with caches that hold little: nothing may
// hang, mix or be lost. Run under the thread sanitizer by the preset tsan.
namespace prismvid::inference {
namespace {

constexpr int kThreads = 4;

/// 60 requests a thread, or PRISMVID_STRESS_REQUESTS of them for a long run.
int requests_of_thread() {
  const char* asked = std::getenv("PRISMVID_STRESS_REQUESTS");
  return asked != nullptr ? std::atoi(asked) : 60;
}

Conversation some_conversation(std::mt19937& random) {
  if (random() % 4 == 0) return image_and_video();
  static const std::vector<std::string> words{"What", "Where", "who", "is", "the", "red", "car?"};
  std::string text = "Tell me:";
  for (unsigned i = random() % 20; i > 0; --i) text += " " + words[random() % words.size()];
  return question(text);
}

EngineRequest some_request(std::mt19937& random) {
  EngineRequest request{some_conversation(random), greedy(1 + static_cast<int>(random() % 12)),
                        random() % 2 == 0 ? Priority::kInteractive : Priority::kBatch};
  request.options.prefill_chunk = 1 + static_cast<int>(random() % 40);
  if (random() % 4 == 0) request.options.grammar = grammar::Grammar::choice({"yes", "no"});
  if (random() % 10 == 0) request.options.sampling.top_p = 0;  // fails
  return request;
}

struct Counts {
  std::atomic<int> answered = 0, cancelled = 0, failed = 0, refused = 0;
};

void ask_many(Engine& engine, unsigned seed, Counts& counts) {
  std::mt19937 random(seed);
  for (int i = 0; i < requests_of_thread(); ++i) {
    try {
      const bool throws = random() % 16 == 0;
      Ticket ticket = engine.submit(some_request(random), [throws](const TokenEvent& event) {
        if (throws && event.id % 3 == 0) throw std::runtime_error("a callback that throws");
      });
      if (random() % 4 == 0) ticket.cancel();
      std::stop_source stop;
      std::jthread canceller;
      if (random() % 8 == 0) canceller = std::jthread([&stop] { stop.request_stop(); });
      const Answer answer = ticket.get(stop.get_token());
      ++(answer.finish_reason == FinishReason::kCancelled ? counts.cancelled : counts.answered);
      if (random() % 16 == 0) engine.metrics();
    } catch (const Error& error) {
      ++(error.code() == ErrorCode::kUnavailable ? counts.refused : counts.failed);
    }
  }
}

TEST(EngineStress, EveryRequestEndsExactlyOnceWhateverItsNeighboursDo) {
  EngineOptions options;
  options.queue_limit = options.batch_limit = 3;
  options.caches.feature_bytes = 30'000;
  options.caches.prefix_bytes = 200'000;
  Engine engine(checkpoint("dense_tied").string(), kPrecise, options);
  const Answer before = engine.submit({question(), greedy(30)}).get();
  Counts counts;
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i)
      threads.emplace_back([&, i] { ask_many(engine, i, counts); });
  }
  EXPECT_EQ(counts.answered + counts.cancelled + counts.failed + counts.refused,
            kThreads * requests_of_thread());
  EXPECT_GT(counts.answered, 0);
  EXPECT_GT(counts.cancelled, 0);
  EXPECT_GT(counts.failed, 0);
  EXPECT_EQ(engine.submit({question(), greedy(30)}).get().token_ids, before.token_ids);
  const EngineMetrics metrics = engine.metrics();
  EXPECT_EQ(metrics.active, 0);
  EXPECT_EQ(metrics.waiting, 0);
  EXPECT_EQ(metrics.answered + metrics.cancelled + metrics.failed,
            static_cast<uint64_t>(counts.answered + counts.cancelled + counts.failed) + 2);
  EXPECT_LE(metrics.cache_bytes, 230'000u);
}

}  // namespace
}  // namespace prismvid::inference

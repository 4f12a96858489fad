#include "inference/engine.h"

#include <gmock/gmock.h>

#include <future>

#include "core/error.h"
#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

EngineOptions places(int batch_limit, int queue_limit = 256) {
  EngineOptions options;
  options.batch_limit = batch_limit;
  options.queue_limit = queue_limit;
  return options;
}

Engine make_engine(const std::string& kind, EngineOptions options = {}) {
  return Engine(checkpoint(kind).string(), kPrecise, options);
}

std::vector<Conversation> several() {
  std::vector<Conversation> all{image_and_video(), question(), question("What is it?"),
                                image_and_video(), question("Where? When? Who? And why so?")};
  return all;
}

std::vector<std::vector<int>> answers_alone(const std::string& kind, int tokens) {
  const auto model = VisionLanguageModel::load(checkpoint(kind).string(), kPrecise);
  std::vector<std::vector<int>> all;
  for (const Conversation& one : several())
    all.push_back(model.generate(one, greedy(tokens)).token_ids);
  return all;
}

TEST(Engine, AnswersManyTogetherAsEachAlone) {
  for (const std::string kind : {"dense_tied", "dense_untied", "moe"}) {
    const auto alone = answers_alone(kind, 40);
    Engine engine = make_engine(kind, places(4));
    std::promise<void> all_submitted;
    const auto submitted = all_submitted.get_future().share();
    std::vector<Ticket> tickets;
    for (const Conversation& one : several())
      tickets.push_back(engine.submit({one, greedy(40), Priority::kBatch},
                                      [submitted](const TokenEvent&) { submitted.wait(); }));
    all_submitted.set_value();
    for (size_t i = 0; i < tickets.size(); ++i)
      EXPECT_EQ(tickets[i].get().token_ids, alone[i]) << kind << " " << i;
    EXPECT_EQ(engine.metrics().answered, tickets.size());
    EXPECT_EQ(engine.metrics().active, 0);
    EXPECT_EQ(engine.metrics().largest_batch, 3);  // one place of four is kept for people
  }
}

TEST(Engine, StreamsExactlyTheAnswer) {
  Engine engine = make_engine("dense_tied");
  std::string streamed;
  const Answer answer =
      engine.submit({question(), greedy(48)}, [&](const TokenEvent& e) { streamed += e.text; })
          .get();
  EXPECT_EQ(streamed, answer.text);
  EXPECT_GT(answer.timings.first_token_ms, 0);
  EXPECT_DOUBLE_EQ(engine.metrics().first_token_seconds.sum(),
                   (answer.timings.queue_ms + answer.timings.first_token_ms) / 1000);
}

TEST(Engine, ACancelledRequestKeepsItsTokensAndHarmsNoNeighbour) {
  const auto alone = answers_alone("dense_tied", 40);
  Engine engine = make_engine("dense_tied");
  Ticket neighbour = engine.submit({question(), greedy(40)});
  std::stop_source stop;
  int tokens = 0;
  Ticket cancelled = engine.submit({question("What is it?"), greedy(4000)}, [&](const TokenEvent&) {
    if (++tokens == 3) stop.request_stop();
  });
  const Answer answer = cancelled.get(stop.get_token());
  EXPECT_EQ(answer.finish_reason, FinishReason::kCancelled);
  EXPECT_GE(answer.token_ids.size(), 3u);
  EXPECT_LT(answer.token_ids.size(), 4000u);
  EXPECT_EQ(neighbour.get().token_ids, alone[1]);
  EXPECT_EQ(engine.metrics().cancelled, 1u);
}

TEST(Engine, AFailingRequestFailsAlone) {
  const auto alone = answers_alone("dense_tied", 40);
  Engine engine = make_engine("dense_tied");
  Ticket bad = engine.submit({question(), greedy(8)},
                             [](const TokenEvent&) { throw std::runtime_error("no more paper"); });
  GenerateOptions wrong = greedy(8);
  wrong.sampling.top_p = 0;
  Ticket refused = engine.submit({question(), wrong});
  Ticket good = engine.submit({question(), greedy(40)});
  try {
    bad.get();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("no more paper"));
  }
  EXPECT_THROW(refused.get(), Error);
  EXPECT_EQ(good.get().token_ids, alone[1]);
  EXPECT_EQ(engine.metrics().failed, 2u);
}

TEST(Engine, APersonGoesBeforeBatchJobs) {
  Engine engine = make_engine("dense_tied", places(1));
  std::promise<void> started, submitted;
  std::vector<std::string> order;
  Ticket first = engine.submit({question(), greedy(2)}, [&](const TokenEvent& event) {
    if (event.id < 0 || !order.empty()) return;
    order.push_back("first");
    started.set_value();
    submitted.get_future().wait();
  });
  started.get_future().wait();
  const auto note = [&](const char* name) {
    return [&order, name](const TokenEvent&) {
      if (order.back() != name) order.push_back(name);
    };
  };
  Ticket job = engine.submit({question(), greedy(2), Priority::kBatch}, note("job"));
  Ticket person = engine.submit({question(), greedy(2)}, note("person"));
  EXPECT_EQ(engine.metrics().waiting, 2);
  submitted.set_value();
  job.get();
  EXPECT_THAT(order, testing::ElementsAre("first", "person", "job"));
}

TEST(Engine, RefusesMoreThanItsQueueHolds) {
  Engine engine = make_engine("dense_tied", places(1, 1));
  std::promise<void> started, submitted;
  bool once = true;
  Ticket first = engine.submit({question(), greedy(2)}, [&](const TokenEvent&) {
    if (!std::exchange(once, false)) return;
    started.set_value();
    submitted.get_future().wait();
  });
  started.get_future().wait();
  Ticket waiting = engine.submit({question(), greedy(2)});
  EXPECT_THROW(engine.submit({question(), greedy(2)}), Error);
  submitted.set_value();
  EXPECT_EQ(waiting.get().token_ids.size(), 2u);
  EXPECT_EQ(engine.metrics().refused, 1u);
}

TEST(Engine, ItsEndCancelsWhatIsLeft) {
  std::optional<Engine> engine;
  engine.emplace(checkpoint("dense_tied").string(), kPrecise, places(1));
  Ticket running = engine->submit({question(), greedy(4000)}),
         waiting = engine->submit({question(), greedy(4000)});
  engine.reset();
  EXPECT_EQ(running.get().finish_reason, FinishReason::kCancelled);
  EXPECT_EQ(waiting.get().finish_reason, FinishReason::kCancelled);
}

TEST(Engine, TellsWhyAModelCannotBeLoaded) {
  EXPECT_THROW(Engine("no/such-model"), Error);
}

}  // namespace
}  // namespace prismvid::inference

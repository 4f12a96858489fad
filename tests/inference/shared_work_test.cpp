#include <gmock/gmock.h>

#include <future>

#include "core/error.h"
#include "inference/engine.h"
#include "inference/prefix_cache.h"
#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

// A device keeps known tokens in blocks of hundreds: there the video is longer than one.
int frames() {
  return BlockKeys::tokens() > 32 ? 80 : 8;
}

Conversation video_question(const std::string& text, int changed_frame = -1) {
  FrameList list;
  for (int i = 0; i < frames(); ++i) {
    const int number = i == changed_frame ? 99 : i;
    list.frames.push_back(
        std::make_shared<const Image>(qwen3_vl::synthetic_picture(64, 96, number)));
    list.times_us.push_back(i * 500'000);
  }
  Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  conversation.append_video({list, {}});
  conversation.append_text(text);
  return conversation;
}

std::vector<int> alone(const std::string& kind, const Conversation& conversation) {
  return VisionLanguageModel::load(checkpoint(kind).string(), kPrecise)
      .generate(conversation, greedy(24))
      .token_ids;
}

class SharedWork : public testing::TestWithParam<std::string> {
 protected:
  Engine engine(EngineOptions options = {}) {
    return Engine(checkpoint(GetParam()).string(), kPrecise, options);
  }
  std::vector<int> expected(const Conversation& one) { return alone(GetParam(), one); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, SharedWork, testing::Values("dense_tied", "moe"),
                         [](const auto& kind) { return kind.param; });

TEST_P(SharedWork, ARepeatedQuestionIsAnsweredEquallyFromTheCaches) {
  Engine one = engine();
  const Conversation asked = video_question("What is it?");
  const Answer cold = one.submit({asked, greedy(24)}).get(),
               warm = one.submit({asked, greedy(24)}).get();
  EXPECT_EQ(cold.token_ids, expected(asked));
  EXPECT_EQ(warm.token_ids, cold.token_ids);
  EXPECT_EQ(cold.cached_prompt_tokens, 0);
  EXPECT_GE(warm.cached_prompt_tokens,
            static_cast<int>(cold.prompt_token_ids.size()) - BlockKeys::tokens());
  EXPECT_GT(one.metrics().feature_hit_bytes, 0u);
}

TEST_P(SharedWork, AnotherQuestionSharesTheVideoAndNothingElse) {
  Engine one = engine();
  one.submit({video_question("What is it?"), greedy(24)}).get();
  const Conversation other = video_question("Who comes in at the end, and when?");
  const Answer answer = one.submit({other, greedy(24)}).get();
  EXPECT_EQ(answer.token_ids, expected(other));
  EXPECT_GE(answer.cached_prompt_tokens, BlockKeys::tokens());
}

TEST_P(SharedWork, VideosThatDifferInOneFrameNeverShareWhatDiffers) {
  Engine one = engine();
  for (const int changed : {-1, 0, 3, 7}) {
    const Conversation asked = video_question("What is it?", changed);
    EXPECT_EQ(one.submit({asked, greedy(24)}).get().token_ids, expected(asked)) << changed;
  }
}

TEST_P(SharedWork, TheNextTurnBeginsWithTheLastOne) {
  Engine one = engine();
  Conversation chat = question("Where does it happen, and what is seen there?");
  const Answer first = one.submit({chat, greedy(40)}).get();
  chat.add_text(tokenizer::Role::kAssistant, first.text);
  chat.add_text(tokenizer::Role::kUser, "Why?");
  EXPECT_EQ(one.submit({chat, greedy(24)}).get().token_ids, expected(chat));
}

TEST_P(SharedWork, WhatAnEngineKnewIsRestoredFromDisk) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("prismvid_disk_" + GetParam());
  std::filesystem::remove_all(folder);
  EngineOptions options;
  options.caches.files = std::make_shared<FileCache>(folder, 1u << 30);
  const Conversation asked = video_question("What is it?");
  const std::string model =
      checkpoint(GetParam()).string();  // written once: files are told by time
  const Answer cold = Engine(model, kPrecise, options)
                          .submit({asked, greedy(24), Priority::kInteractive, "video"})
                          .get();
  Engine second(model, kPrecise, options);
  const Answer warm = second.submit({asked, greedy(24), Priority::kInteractive, "video"}).get();
  EXPECT_EQ(warm.token_ids, cold.token_ids);
  EXPECT_GE(warm.cached_prompt_tokens, BlockKeys::tokens());
  EXPECT_GT(second.metrics().feature_hit_bytes, 0u);
}

TEST_P(SharedWork, OnlyWhatHasAnOwnerIsOnTheDiskAndOfABatchFeaturesAlone) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("prismvid_owner_" + GetParam());
  std::filesystem::remove_all(folder);
  EngineOptions options;
  options.caches.files = std::make_shared<FileCache>(folder, 1u << 30);
  const Conversation asked = video_question("What is it?");
  const std::string model = checkpoint(GetParam()).string();
  Engine(model, kPrecise, options).submit({asked, greedy(4)}).get();
  EXPECT_FALSE(std::filesystem::exists(folder));
  const Answer job =
      Engine(model, kPrecise, options).submit({asked, greedy(24), Priority::kBatch, "video"}).get();
  Engine next(model, kPrecise, options);
  const Answer person = next.submit({asked, greedy(24), Priority::kInteractive, "video"}).get();
  EXPECT_EQ(person.token_ids, job.token_ids);
  EXPECT_EQ(person.cached_prompt_tokens, 0);
  EXPECT_GT(next.metrics().feature_hit_bytes, 0u);
}

TEST_P(SharedWork, WhatIsForgottenIsComputedAgainAndNotOnTheDisk) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("prismvid_forget_" + GetParam());
  std::filesystem::remove_all(folder);
  EngineOptions options;
  options.caches.files = std::make_shared<FileCache>(folder, 1u << 30);
  const Conversation asked = video_question("What is it?");
  {
    Engine one = engine(options);
    const EngineRequest request{asked, greedy(24), Priority::kInteractive, "video"};
    const Answer cold = one.submit(request).get();
    one.empty_caches(Emptying::kForget);
    const Answer again = one.submit(request).get();
    EXPECT_EQ(again.cached_prompt_tokens, 0);
    EXPECT_EQ(again.token_ids, cold.token_ids);
    one.empty_caches(Emptying::kForget);
    one.submit({question(), greedy(1)}).get();  // forgotten by now
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_P(SharedWork, CachesGiveWayToRequestsWithoutChangingAnAnswer) {
  EngineOptions options;
  options.caches.feature_bytes = 20'000;
  options.caches.prefix_bytes = 40'000;
  Engine one = engine(options);
  const Conversation asked = video_question("What is it?");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(one.submit({asked, greedy(24)}).get().token_ids, expected(asked));
  EXPECT_LE(one.metrics().cache_bytes, 60'000u);
}

TEST(FewerBits, ACachedBeginningAnswersAsAnUncachedOneAlsoFromDisk) {
  const std::string model = checkpoint("dense_tied").string();
  const auto folder = std::filesystem::path(testing::TempDir()) / "prismvid_kv_bits";
  std::filesystem::remove_all(folder);
  EngineOptions options;
  options.caches.files = std::make_shared<FileCache>(folder, 1u << 30);
  const Conversation asked = video_question("What is it?");
  const EngineRequest request{asked, greedy(24), Priority::kInteractive, "video"};
  for (const int bits : {8, 4, 16}) {  // in one folder: none takes what another has kept
    LoadOptions load = kPrecise;
    load.kv_bits = bits;
    const auto alone = VisionLanguageModel::load(model, load).generate(asked, greedy(24)).token_ids;
    {
      Engine first(model, load, options);
      const Answer cold = first.submit(request).get(), warm = first.submit(request).get();
      EXPECT_EQ(cold.cached_prompt_tokens, 0) << bits;
      EXPECT_EQ(cold.token_ids, alone) << bits;
      EXPECT_GE(warm.cached_prompt_tokens, BlockKeys::tokens()) << bits;
      EXPECT_EQ(warm.token_ids, alone) << bits;
    }
    Engine second(model, load, options);
    const Answer restored = second.submit(request).get();
    EXPECT_GE(restored.cached_prompt_tokens, BlockKeys::tokens()) << bits;
    EXPECT_EQ(restored.token_ids, alone) << bits;
  }
}

TEST(FewerBits, GoTogetherWithGuessingAndOthers) {
  LoadOptions load = kPrecise;
  load.kv_bits = 8;
  GenerateOptions plain = greedy(60);
  plain.draft_tokens = 0;
  const std::vector<Conversation> asked{question("a red car and a red car and a red car and"),
                                        video_question("What is it?"), question("Who?")};
  std::vector<std::vector<int>> expected;
  {
    const auto model = VisionLanguageModel::load(checkpoint("moe").string(), load);
    for (const Conversation& one : asked) expected.push_back(model.generate(one, plain).token_ids);
  }
  Engine one(checkpoint("moe").string(), load);
  std::vector<Ticket> tickets;
  for (const Conversation& conversation : asked)
    tickets.push_back(one.submit({conversation, greedy(60)}));
  for (size_t i = 0; i < tickets.size(); ++i) EXPECT_EQ(tickets[i].get().token_ids, expected[i]);
}

TEST(Admission, AModelThatDoesNotFitIsRefusedWithTheNumbers) {
  EngineOptions options;
  options.memory_bytes = 1000;
  EXPECT_THROW(Engine(checkpoint("dense_tied").string(), kPrecise, options), Error);
}

// Room for so many bytes beside the weights.
EngineOptions with_room(uint64_t bytes) {
  const Engine measured(checkpoint("dense_tied").string(), kPrecise);
  EngineOptions options;
  options.memory_bytes = measured.metrics().weight_bytes + bytes;
  return options;
}

TEST(Admission, ARequestThatNeverFitsIsRefusedWithTheNumbers) {
  Engine one(checkpoint("dense_tied").string(), kPrecise, with_room(4u << 20));
  try {
    one.submit({question(), greedy(4000)});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(error.what(), testing::ContainsRegex("needs about .* GB, but the memory budget"));
  }
  EXPECT_EQ(one.submit({question(), greedy(8)}).get().token_ids.size(), 8u);
}

TEST(Admission, FewerBitsOfKeysAndValuesLetLongerAnswersIn) {
  LoadOptions few = kPrecise;
  few.kv_bits = 4;
  const EngineOptions options = with_room(3u << 20);
  Engine usual(checkpoint("dense_tied").string(), kPrecise, options),
      small(checkpoint("dense_tied").string(), few, options);
  EXPECT_THROW(usual.submit({question(), greedy(1500)}), Error);
  Ticket ticket = small.submit({question(), greedy(1500)});
  ticket.cancel();
  EXPECT_EQ(ticket.get().finish_reason, FinishReason::kCancelled);
}

TEST(Admission, ARequestThatDoesNotFitNowWaits) {
  Engine one(checkpoint("dense_tied").string(), kPrecise, with_room(1u << 20));
  std::promise<void> all_submitted;
  const auto submitted = all_submitted.get_future().share();
  std::vector<Ticket> tickets;
  for (int i = 0; i < 4; ++i)
    tickets.push_back(one.submit({question(), greedy(200)},
                                 [submitted](const TokenEvent&) { submitted.wait(); }));
  all_submitted.set_value();
  for (Ticket& ticket : tickets) EXPECT_EQ(ticket.get().token_ids.size(), 200u);
  EXPECT_LT(one.metrics().largest_batch, 4);
}

}  // namespace
}  // namespace prismvid::inference

#include <gmock/gmock.h>
#include <prismvid/model.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>

namespace prismvid {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

const Model& model() {
  static const Model loaded =
      load(PRISMVID_ASSETS "/models/demo-world-vlm", {.device = Device::kCpu});
  return loaded;
}

Picture picture(int width, int height) {
  Picture made{width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  for (size_t i = 0; i < made.rgb.size(); ++i) made.rgb[i] = static_cast<uint8_t>(i * 7);
  return made;
}

ErrorCode refused(const std::vector<Message>& messages, const GenerateOptions& options,
                  std::string& words) {
  try {
    generate(model(), messages, options);
  } catch (const Error& e) {
    words = e.what();
    return e.code();
  }
  return ErrorCode::kInternal;
}

const GenerateOptions kShort{.max_tokens = 8, .temperature = 0.0f, .ignore_end = true};
const std::vector<Message> kQuestion{{Role::kUser, {text("What is shown?")}}};

TEST(Library, AnswersAboutPicturesAndVideosAndStreams) {
  const Frames frames{{picture(64, 64), picture(64, 64)}, {0, 500'000}};
  const std::vector<Message> messages{
      {Role::kSystem, {text("You answer briefly.")}},
      {Role::kUser, {image(picture(96, 64)), text("What?")}},
      {Role::kAssistant, {text("A square.")}},
      {Role::kUser, {video(frames, {.max_frame_tokens = 64}), text("And here?")}}};
  std::string streamed;
  std::vector<int> ids;
  GenerateOptions options = kShort;
  options.logprobs = 2;
  const Answer answer = generate(model(), messages, options, [&](const TokenEvent& event) {
    streamed += event.text;
    if (event.id >= 0) ids.push_back(event.id);
  });
  EXPECT_EQ(answer.text, streamed);
  EXPECT_EQ(answer.token_ids, ids);
  EXPECT_EQ(answer.token_ids.size(), 8u);
  EXPECT_STREQ(to_string(answer.finish_reason), "length");
  ASSERT_EQ(answer.log_probabilities.size(), 8u);
  EXPECT_EQ(answer.log_probabilities[0].top.size(), 2u);
  EXPECT_EQ(answer.log_probabilities[0].chosen.id, ids[0]);
  EXPECT_GT(answer.peak_memory_bytes, 0u);
}

TEST(Library, ManyThreadsAskOneModel) {
  const Answer alone = generate(model(), kQuestion, kShort);
  std::vector<Answer> answers(4);
  {
    std::vector<std::jthread> threads;
    for (Answer& answer : answers)
      threads.emplace_back([&answer] { answer = generate(model(), kQuestion, kShort); });
  }
  for (const Answer& answer : answers) EXPECT_EQ(answer.token_ids, alone.token_ids);
}

TEST(Library, AStopRequestEndsAnAnswer) {
  std::stop_source stop;
  GenerateOptions options = kShort;
  options.max_tokens = 2000;
  const Answer answer = generate(
      model(), kQuestion, options, [&](const TokenEvent&) { stop.request_stop(); },
      stop.get_token());
  EXPECT_EQ(answer.finish_reason, FinishReason::kCancelled);
  EXPECT_GE(answer.token_ids.size(), 1u);
  EXPECT_LT(answer.token_ids.size(), 2000u);
}

TEST(Library, AnswersHaveTheFormAskedFor) {
  GenerateOptions options = kShort;
  options.choices = {"yes", "no"};
  const Answer answer = generate(model(), kQuestion, options);
  EXPECT_TRUE(answer.text == "yes" || answer.text == "no") << answer.text;
  EXPECT_EQ(answer.valid, true);
}

TEST(Library, CountsTokensAndMoves) {
  Model moved = load(PRISMVID_ASSETS "/models/demo-world-vlm", {.device = Device::kCpu});
  const Model here = std::move(moved);
  EXPECT_GT(here.count_tokens("What is shown?"), 0);
}

TEST(Library, RefusalsSayWhatWouldWork) {
  std::string words;
  EXPECT_EQ(refused({{Role::kUser, {image("/no/such.jpg")}}}, kShort, words), ErrorCode::kNotFound);
  EXPECT_THAT(words, HasSubstr("/no/such.jpg"));
  Picture cut = picture(8, 8);
  cut.rgb.pop_back();
  EXPECT_EQ(refused({{Role::kUser, {image(cut)}}}, kShort, words), ErrorCode::kInvalidArgument);
  EXPECT_THAT(words, HasSubstr("8 by 8"));
  EXPECT_EQ(refused({}, kShort, words), ErrorCode::kInvalidArgument);
  GenerateOptions two_forms = kShort;
  two_forms.regex = "a+", two_forms.choices = {"a"};
  EXPECT_EQ(refused(kQuestion, two_forms, words), ErrorCode::kInvalidArgument);
  EXPECT_THAT(words, HasSubstr("one form"));
  GenerateOptions no_schema = kShort;
  no_schema.json_schema = "{";
  EXPECT_EQ(refused(kQuestion, no_schema, words), ErrorCode::kInvalidArgument);
  EXPECT_THAT(words, HasSubstr("json_schema is not valid JSON"));
  EXPECT_THROW(load("/no/such/model"), Error);
  EXPECT_THROW(load(PRISMVID_ASSETS "/models/demo-world-vlm", {.memory_gb = -1}), Error);
  EXPECT_STREQ(to_string(ErrorCode::kNotFound), "not_found");
}

}  // namespace
}  // namespace prismvid

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/memory.h"
#include "support/process.h"
#include "support/synthetic_clip.h"

// `prismvid generate` as a user types it, on the model of the demonstration world.
namespace prismvid::tests {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

std::string model() {
  return std::string(PRISMVID_ASSETS) + "/models/demo-world-vlm";
}

std::string picture() {
  return synthetic_clip("-f lavfi -i testsrc2=size=96x64 -frames:v 1", "a.png").string();
}

std::string video() {
  return synthetic_clip("-f lavfi -i testsrc2=size=96x64:rate=10:duration=3 -c:v libx264", "a.mp4")
      .string();
}

ProcessResult run(std::vector<std::string> arguments, const std::string& of = model()) {
  arguments.insert(arguments.begin(), {PRISMVID_PROGRAM, "generate", "--model", of});
  return run_process(arguments);
}

json answer(std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--format", "json"});
  const ProcessResult result = run(std::move(arguments));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return json::parse(result.out, nullptr, false);
}

json greedy(std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--prompt", "What happens?", "--temperature", "0", "--ignore-eos",
                           "--max-tokens", "12"});
  return answer(more);
}

std::string data_url(const std::string& type, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::string text(bytes.size() * 2 + 4, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  return "data:" + type + ";base64," + text.substr(0, static_cast<size_t>(length));
}

std::string write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

TEST(Generate, TheJsonAnswerHoldsAllThatIsPromised) {
  const json given = greedy({"--image", picture(), "--logprobs", "3"});
  for (const char* key : {"prompt_token_ids", "token_ids", "text", "reasoning", "logprobs",
                          "finish_reason", "timings_ms", "peak_memory_bytes"})
    EXPECT_TRUE(given.contains(key)) << key;
  for (const char* key : {"load", "vision", "prefill", "decode"})
    EXPECT_TRUE(given["timings_ms"][key].is_number()) << key;
  EXPECT_EQ(given["finish_reason"], "length");
  ASSERT_EQ(given["logprobs"].size(), 12u);
  const json& first = given["logprobs"][0];
  EXPECT_EQ(first["token_id"], given["token_ids"][0]);
  ASSERT_EQ(first["top"].size(), 3u);
  EXPECT_EQ(first["top"][0]["token_id"], first["token_id"]);
  EXPECT_LE(first["top"][1]["logprob"], first["logprob"]);
}

TEST(Generate, ALogitBiasForbidsAToken) {
  const int first = greedy()["token_ids"][0];
  EXPECT_NE(greedy({"--logit-bias", std::to_string(first) + "=-100"})["token_ids"][0], first);
  for (const char* bad : {"x=1", "7", "7=", "-1=2", "7=1x", "7:1"}) {
    const ProcessResult result = run({"--prompt", "x", "--logit-bias", bad});
    EXPECT_EQ(result.exit_code, 2) << bad;
    EXPECT_THAT(result.err, HasSubstr("--logit-bias takes"));
  }
}

TEST(Generate, ALoopIsEndedByItsGuard) {
  const json given = answer({"--prompt", "Count.", "--logit-bias", "20=1000", "--temperature", "0",
                             "--ignore-eos", "--max-tokens", "400", "--loop-guard"});
  EXPECT_EQ(given["finish_reason"], "loop");
  EXPECT_LT(given["token_ids"].size(), 200u);
}

TEST(Generate, ASeedGivesTheSameAnswerAgain) {
  const auto sampled = [](const char* seed) {
    return answer({"--prompt", "Say.", "--temperature", "3", "--top-k", "50", "--ignore-eos",
                   "--max-tokens", "12", "--seed", seed})["token_ids"];
  };
  EXPECT_EQ(sampled("1"), sampled("1"));
  EXPECT_NE(sampled("1"), sampled("2"));
}

TEST(Generate, AStopStringEndsTheTextBeforeIt) {
  const std::string whole = greedy()["text"];
  ASSERT_GT(whole.size(), 4u);
  const json given = greedy({"--stop", whole.substr(2, 2)});
  EXPECT_EQ(given["finish_reason"], "stop");
  EXPECT_EQ(given["text"], whole.substr(0, whole.find(whole.substr(2, 2))));
}

TEST(Generate, MessagesTakeEveryKindOfPart) {
  const TemporaryFolder folder;
  const auto tokens = [&](const json& image, const json& clip) {
    const json messages = {
        {{"role", "system"}, {"content", "Be brief."}},
        {{"role", "user"}, {"content", {image, clip, {{"type", "text"}, {"text", "What?"}}}}}};
    const std::string file = write(folder.path() / "messages.json", messages.dump());
    return answer(
        {"--messages", file, "--temperature", "0", "--max-tokens", "2"})["prompt_token_ids"];
  };
  const json plain =
      tokens({{"type", "image"}, {"image", picture()}}, {{"type", "video"}, {"video", video()}});
  EXPECT_GT(plain.size(), 12u);
  EXPECT_EQ(tokens({{"type", "image_url"}, {"image_url", {{"url", "file://" + picture()}}}},
                   {{"type", "video_url"}, {"video_url", {{"url", "file://" + video()}}}}),
            plain);
  EXPECT_EQ(
      tokens({{"type", "image_url"}, {"image_url", {{"url", data_url("image/png", picture())}}}},
             {{"type", "video_url"}, {"video_url", {{"url", data_url("video/mp4", video())}}}}),
      plain);
  const json frames =
      tokens({{"type", "image"}, {"image", picture()}},
             {{"type", "video"}, {"video", {picture(), picture()}}, {"times", {1.5, 2.5}}});
  EXPECT_LT(frames.size(), plain.size());
  const ProcessResult both = run({"--messages", "x.json", "--prompt", "x"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_THAT(both.err, HasSubstr("leave out --prompt"));
}

TEST(Generate, ADryRunCountsWhatARunTakes) {
  const std::vector<std::string> media{"--image", picture(),     "--video",
                                       video(),   "--video-fps", "1"};
  auto dry = media;
  dry.insert(dry.end(), {"--prompt", "What happens?", "--dry-run"});
  const ProcessResult result = run(dry);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json plan = json::parse(result.out);
  EXPECT_EQ(plan["prompt_tokens"], greedy(media)["prompt_token_ids"].size());
  EXPECT_EQ(plan["media"][1]["type"], "video");
  EXPECT_EQ(plan["media"][1]["frames"], plan["media"][1]["frame_indices"].size());
}

TEST(Generate, TwelveTimesTheFramesTakeNoMoreMemory) {
  const std::string clip =
      synthetic_clip(
          "-f lavfi -i testsrc2=size=320x180:rate=10:duration=80 -c:v libx264 -preset ultrafast",
          "long.mp4")
          .string();
  const auto peak = [&](const char* frames) {
    return answer({"--video", clip, "--video-frames", frames, "--video-tokens", "400", "--prompt",
                   "x", "--max-tokens", "1", "--temperature", "0"})["peak_memory_bytes"]
        .get<double>();
  };
  EXPECT_LT(peak("768"), 1.25 * peak("64"));  // kept, the frames would add 120 MB
}

TEST(Generate, AModelTooLargeForMemoryIsRefusedWithTheNumbers) {
  const TemporaryFolder folder;
  for (const char* name : {"config.json", "tokenizer.json"})
    fs::copy_file(fs::path(model()) / name, folder.path() / name);
  const uint64_t megabytes = machine_memory_bytes() >> 20;
  const uint64_t size = (megabytes * 2) << 20;
  const json header = {
      {"model.language_model.norm.weight",
       {{"dtype", "U8"}, {"shape", {megabytes * 2, 1 << 20}}, {"data_offsets", {0, size}}}}};
  const std::string text = header.dump();
  const uint64_t length = text.size();
  std::string head(8, '\0');
  std::memcpy(head.data(), &length, 8);
  const fs::path weights = write(folder.path() / "model.safetensors", head + text);
  fs::resize_file(weights, 8 + text.size() + size);  // a hole: takes no room on the disk
  const ProcessResult result = run({"--prompt", "x"}, folder.path().string());
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("needs " + std::to_string(megabytes * 2) + " MB"));
  EXPECT_THAT(result.err, HasSubstr("this machine has " + std::to_string(megabytes) + " MB"));
}

}  // namespace
}  // namespace prismvid::tests

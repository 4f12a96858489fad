#include "inference/conversation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace prismvid::inference {
namespace {

using nlohmann::ordered_json;

TEST(Conversation, ReadsMessagesWithMediaInOrder) {
  const auto conversation = parse_conversation(ordered_json::parse(R"([
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [
      {"type": "video", "video": "clip.mp4", "fps": 1, "end": 12.5},
      {"type": "image_url", "image_url": {"url": "file:///tmp/a.jpg"}},
      {"type": "text", "text": "What?"}]},
    {"role": "assistant", "content": null, "reasoning_content": "hm",
     "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}]},
    {"role": "tool", "content": "ok"}])"));
  ASSERT_EQ(conversation.messages.size(), 4u);
  ASSERT_EQ(conversation.media.size(), 2u);
  const auto& video = std::get<VideoSource>(conversation.media[0]);
  EXPECT_EQ(std::get<std::filesystem::path>(video.frames), "clip.mp4");
  EXPECT_EQ(video.options.fps, 1);
  EXPECT_EQ(video.options.end_us, 12'500'000);
  EXPECT_EQ(std::get<std::filesystem::path>(std::get<ImageSource>(conversation.media[1])),
            "/tmp/a.jpg");
  EXPECT_EQ(conversation.messages[2].reasoning, "hm");
  EXPECT_EQ(conversation.messages[2].tool_calls.at(0).name, "f");
}

TEST(Conversation, FileUrlsAreDecoded) {
  const auto path_of = [](const std::string& url) {
    const ordered_json part{{"type", "image_url"}, {"image_url", {{"url", url}}}};
    const auto conversation = parse_conversation(
        ordered_json::array({{{"role", "user"}, {"content", ordered_json::array({part})}}}));
    return std::get<std::filesystem::path>(std::get<ImageSource>(conversation.media.at(0)));
  };
  EXPECT_EQ(path_of("file:///tmp/a%20b%C3%BC.jpg"), "/tmp/a bü.jpg");
  EXPECT_EQ(path_of("file://localhost/tmp/a.jpg"), "/tmp/a.jpg");
  EXPECT_EQ(path_of("file:///tmp/100%.jpg"), "/tmp/100%.jpg");
  EXPECT_THROW(path_of("file://elsewhere/a.jpg"), Error);
}

TEST(Conversation, AVideoInADataUrlIsAFileForAsLongAsItIsNeeded) {
  std::filesystem::path path;
  {
    const auto conversation = parse_conversation(ordered_json::parse(
        R"([{"role": "user", "content": [
            {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,aGVsbG8="}, "fps": 4}]}])"));
    const auto copy = conversation;
    const auto& video = std::get<VideoSource>(copy.media.at(0));
    path = std::get<std::filesystem::path>(video.frames);
    EXPECT_EQ(video.options.fps, 4);
    std::string text;
    std::ifstream(path) >> text;
    EXPECT_EQ(text, "hello");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Conversation, RefusesOtherForms) {
  for (
      const char* text :
      {"[]", "{}", "[1]", R"([{"role": "user"}, 3])", R"([{"role": "king", "content": "x"}])",
       R"([{"role": "user", "content": 3}])", R"([{"role": "user", "content": ["x"]}])",
       R"([{"role": "user", "content": [{"type": "smell"}]}])",
       R"([{"role": "user", "content": [{"type": "image"}]}])",
       R"([{"role": "user", "content": [{"type": "image", "image": "https://example.org/a.jpg"}]}])",
       R"([{"role": "user", "content": [{"type": "image", "image": "data:image/png;base64,@@@@"}]}])",
       R"([{"role": "user", "content": [{"type": "video", "video": "a", "fps": "fast"}]}])"})
    EXPECT_THROW(parse_conversation(ordered_json::parse(text)), Error) << text;
}

}  // namespace
}  // namespace prismvid::inference

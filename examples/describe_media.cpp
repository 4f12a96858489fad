// Asks a Qwen3-VL model about a picture or a video and prints the answer as it comes.
//
//   describe_media MODEL FILE QUESTION
//
// MODEL is the folder of a checkpoint or the name of one in the Hugging Face cache.

#include <prismvid/model.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>

namespace {

bool is_picture(const std::filesystem::path& file) {
  const std::string kinds[] = {".jpg", ".jpeg", ".png",  ".webp", ".gif",
                               ".bmp", ".tiff", ".avif", ".heic"};
  return std::find(std::begin(kinds), std::end(kinds), file.extension()) != std::end(kinds);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 4) {
    std::cerr << "usage: describe_media MODEL FILE QUESTION\n";
    return 2;
  }
  using namespace prismvid;
  const std::filesystem::path file = arguments[2];
  const Message message{
      Role::kUser, {is_picture(file) ? image(file) : video(file, {.fps = 2}), text(arguments[3])}};

  const Model model = load(arguments[1]);
  const Answer answer =
      generate(model, {message}, {.max_tokens = 200, .temperature = 0.0f},
               [](const TokenEvent& event) { std::cout << event.text << std::flush; });
  std::cout << "\n";
  std::cerr << answer.prompt_token_ids.size() << " tokens read, " << answer.token_ids.size()
            << " written, " << to_string(answer.finish_reason) << "\n";
  return 0;
} catch (const std::exception& e) {
  std::cerr << "describe_media: " << e.what() << "\n";
  return 1;
}

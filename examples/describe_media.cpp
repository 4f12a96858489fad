// Asks a Qwen3-VL model about a picture or a video and prints the answer as it comes.
//
//   describe_media MODEL FILE QUESTION
//
// MODEL is the folder of a checkpoint or the name of one in the Hugging Face cache.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "inference/vision_language_model.h"

using namespace prismvid;

namespace {

bool is_picture(const std::filesystem::path& file) {
  const std::string kinds[] = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tiff", ".avif"};
  return std::find(std::begin(kinds), std::end(kinds), file.extension()) != std::end(kinds);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 4) {
    std::cerr << "usage: describe_media MODEL FILE QUESTION\n";
    return 2;
  }
  const std::filesystem::path file = arguments[2];
  const auto model = inference::VisionLanguageModel::load(arguments[1]);

  inference::Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  if (is_picture(file))
    conversation.append_image(file);
  else
    conversation.append_video({file, {}});
  conversation.append_text(arguments[3]);

  auto options = model.defaults();
  options.max_tokens = 200;
  options.sampling.temperature = 0;
  const auto answer = model.generate(conversation, options, [](const inference::TokenEvent& event) {
    std::cout << event.text << std::flush;
  });
  std::cout << "\n";
  std::cerr << answer.prompt_token_ids.size() << " tokens read, " << answer.token_ids.size()
            << " written\n";
  return 0;
} catch (const std::exception& e) {
  std::cerr << "describe_media: " << e.what() << "\n";
  return 1;
}

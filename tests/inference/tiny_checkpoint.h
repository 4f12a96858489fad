#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "inference/conversation.h"
#include "inference/vision_language_model.h"
#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::inference {

/// Where this build's tests run models, as precisely as the goldens.
#ifdef PRISMVID_CUDA
inline const LoadOptions kPrecise{Device::kCuda, Precision::kFloat32};
#else
inline const LoadOptions kPrecise{Device::kCpu, Precision::kFloat32};
#endif

/// Adds the goldens' tokenizer to a folder of weights.
inline void add_tokenizer(const std::filesystem::path& folder, bool thinking = false) {
  std::filesystem::copy_file(qwen3_vl::kGolden / "tokenizer" / "tokenizer.json",
                             folder / "tokenizer.json",
                             std::filesystem::copy_options::overwrite_existing);
  std::ofstream(folder / "chat_template.jinja")
      << (thinking ? "{{- '<|im_start|>assistant\\n<think>\\n' }}"
                   : "{{- '<|im_start|>assistant\\n' }}");
}

/// A whole checkpoint folder: weights and tokenizer of the goldens. This process's own, since other
/// test programs run beside it and files are mapped.
inline std::filesystem::path checkpoint(const std::string& kind, bool thinking = false) {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::path(testing::TempDir()) /
      ("prismvid_" + std::to_string(getpid()) + "_" + kind + (thinking ? "_thinking" : ""));
  fs::create_directories(folder);
  const auto options = fs::copy_options::overwrite_existing | fs::copy_options::recursive;
  fs::copy(qwen3_vl::kGolden / "models" / kind, folder, options);
  add_tokenizer(folder, thinking);
  return folder;
}

inline ImageSource picture(Size size, int number) {
  return std::make_shared<const Image>(
      qwen3_vl::synthetic_picture(size.width, size.height, number));
}

/// "image_and_video" of the goldens: the six frames the reference samples of 30 at 10 a second.
inline Conversation image_and_video() {
  FrameList list;
  for (const int index : {0, 6, 12, 17, 23, 29}) {
    list.frames.push_back(
        std::make_shared<const Image>(qwen3_vl::synthetic_picture(64, 64, index)));
    list.times_us.push_back(index * 100'000);
  }
  Conversation conversation;
  conversation.messages.push_back({tokenizer::Role::kUser, {}, {}, {}});
  conversation.append_image(picture({128, 64}, 'b'));
  VideoSource video{list, {}};
  video.options.dialect = qwen3_vl::VideoDialect::kOuter;
  conversation.append_video(video);
  conversation.append_text("Is it the same?");
  return conversation;
}

inline Conversation question(
    const std::string& text = "Describe what happens in this video and picture.") {
  Conversation conversation;
  conversation.add_text(tokenizer::Role::kUser, text);
  return conversation;
}

inline GenerateOptions greedy(int tokens) {
  GenerateOptions options;
  options.max_tokens = tokens;
  options.ignore_end = true;
  options.dialect = qwen3_vl::VideoDialect::kOuter;
  return options;
}

}  // namespace prismvid::inference

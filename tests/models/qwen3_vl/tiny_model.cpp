#include "models/qwen3_vl/tiny_model.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "models/qwen3_vl/bicubic.h"
#include "models/qwen3_vl/video_plan.h"
#include "nn/safetensors.h"
#include "tokenizer/chat_messages.h"

namespace prismvid::qwen3_vl {
namespace {

using tokenizer::ChatMessage;
using tokenizer::ContentPart;
using tokenizer::Role;
using Kind = ContentPart::Kind;

// As model_goldens.py.
const std::map<char, Size> kImages{{'a', {64, 96}}, {'b', {128, 64}}, {'c', {70, 90}}};
constexpr int kVideoFrames = 30;
constexpr double kVideoFrameRate = 10;

ContentPart words(const std::string& text) {
  return {Kind::kText, text};
}
const ContentPart kImage{Kind::kImage, ""};
const ContentPart kVideo{Kind::kVideo, ""};

ChatMessage user(std::vector<ContentPart> parts) {
  return {Role::kUser, std::move(parts), {}, {}};
}

struct Conversation {
  std::string name;
  std::vector<ChatMessage> messages;
  std::string media;  // image names, 'v' for the video
  nlohmann::ordered_json tools = nlohmann::ordered_json::array();
  bool thinking = false;
};

// By its place in tests/golden/tokenizer/chats.json, as CHATS of model_goldens.py.
Conversation chat(const std::string& name, size_t place, const std::string& media) {
  static const auto chats = [] {
    std::ifstream in(kGolden / "tokenizer" / "chats.json");
    return nlohmann::ordered_json::parse(in);
  }();
  const auto& entry = chats.at(place);
  return {name, tokenizer::messages_of(entry["messages"]), media,
          entry.value("tools", nlohmann::ordered_json::array()), entry["thinking"].get<bool>()};
}

std::vector<Conversation> conversations() {
  return {{"text", {user({words("Describe what happens in this video and picture.")})}, ""},
          {"image", {user({kImage, words("What is this?")})}, "a"},
          {"three_images",
           {{Role::kSystem, {words("You answer briefly.")}, {}, {}},
            user({words("Compare"), kImage, words(" and "), kImage, words(" with "), kImage})},
           "abc"},
          {"video", {user({kVideo, words("Describe this video.")})}, "v"},
          {"image_and_video", {user({kImage, kVideo, words("Is it the same?")})}, "bv"},
          {"turns",
           {user({kImage, words("What?")}),
            {Role::kAssistant, {words("A cat.")}, {}, {}},
            user({words("And here?"), kImage})},
           "ba"},
          chat("tools", 8, "a"),
          chat("thinking", 20, "ba"),
          chat("thinking_tools", 28, "")};
}

PatchRows image_rows(char name, const Config& config, const ProcessorConfig& processor) {
  const Image image = synthetic_picture(kImages.at(name).width, kImages.at(name).height, name);
  const Size size = image_size(image.size(), config.vision.factor(), processor.image_min_pixels,
                               processor.image_max_pixels);
  const Image resized = resize_bicubic(image, size);
  return make_patches(std::span(&resized, 1), config.vision, processor);
}

PatchRows video_rows(const Config& config, const ProcessorConfig& processor,
                     std::vector<double>& times) {
  VideoOptions options;
  options.dialect = VideoDialect::kOuter;
  std::vector<Image> frames;
  std::vector<int64_t> times_us;
  for (const int64_t index :
       sample_frames({kVideoFrames, kVideoFrameRate, {64, 64}}, options, processor)) {
    frames.push_back(synthetic_picture(64, 64, static_cast<int>(index)));
    times_us.push_back(static_cast<int64_t>(static_cast<double>(index) * 1e6 / kVideoFrameRate));
  }
  times = group_times(times_us);
  const Size size = planned_frame_size({64, 64}, static_cast<int>(frames.size()), options,
                                       processor, config.vision);
  for (Image& frame : frames) frame = resize_bicubic(frame, size);
  return make_patches(frames, config.vision, processor);
}

std::filesystem::path folder_of(const std::string& kind) {
  return kGolden / "models" / kind;
}

#ifdef PRISMVID_CUDA
// That build runs all of these tests on a GPU, with products in whole float32.
class OnGpu : public testing::Environment {
 public:
  void SetUp() override {
    setenv("MLX_ENABLE_TF32", "0", 1);
    if (!mx::is_available(mx::Device::gpu)) GTEST_SKIP() << "skipped: no GPU";
    mx::set_default_device(mx::Device::gpu);
  }
};
const auto* const on_gpu = testing::AddGlobalTestEnvironment(new OnGpu);
#endif

}  // namespace

const tokenizer::Tokenizer& tiny_tokenizer() {
  static const auto loaded = tokenizer::Tokenizer::load(kGolden / "tokenizer");
  return loaded;
}

const Model& tiny_model(const std::string& kind) {
  static std::map<std::string, Model> models;
  if (!models.contains(kind)) models.emplace(kind, Model::load(folder_of(kind), {mx::float32}));
  return models.at(kind);
}

const std::map<std::string, mx::array>& goldens(const std::string& kind) {
  static std::map<std::string, std::map<std::string, mx::array>> all;
  auto& tensors = all[kind];
  if (tensors.empty()) {
    const nn::SafetensorsFile file(folder_of(kind) / "golden.bin");
    for (const auto& [name, entry] : file.tensors()) tensors.emplace(name, file.array(name));
  }
  return tensors;
}

Image synthetic_picture(int width, int height, int number) {
  Image image(width, height, 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] =
            static_cast<uint8_t>((x * 7 + y * 13 + c * 40 + number * 31 + (x * y) % 17 * 5) % 256);
  return image;
}

std::vector<Case> golden_cases(const Model& model) {
  const ProcessorConfig processor = read_processor_config(folder_of("dense_tied"));
  std::vector<Case> cases;
  for (const Conversation& conversation : conversations()) {
    Case one{conversation.name, {}, {}};
    std::vector<MediaLayout> layouts;
    for (const char name : conversation.media) {
      std::vector<double> times;
      one.media.push_back(name == 'v' ? video_rows(model.config(), processor, times)
                                      : image_rows(name, model.config(), processor));
      layouts.push_back({one.media.back().grid, times});
    }
    const auto pieces = tokenizer::render_chat(conversation.messages, conversation.tools,
                                               {.thinking = conversation.thinking});
    one.prompt =
        make_prompt(pieces, layouts, tiny_tokenizer(), model.config(), VideoDialect::kOuter);
    cases.push_back(std::move(one));
  }
  return cases;
}

std::optional<VisionFeatures> encode_all(const Model& model, const Case& one, const Trace& trace) {
  std::vector<VisionFeatures> parts;
  for (const PatchRows& rows : one.media)
    parts.push_back(model.encode(rows, parts.empty() ? trace : Trace{}));
  if (parts.empty()) return std::nullopt;
  return concatenated(parts);
}

mx::array prefill_logits(const Model& model, Sequence& sequence, const Case& one,
                         const std::optional<VisionFeatures>& features, int chunk, int last) {
  const int size = static_cast<int>(one.prompt.ids.size());
  std::vector<mx::array> hidden;
  while (sequence.size() < size)
    hidden.push_back(
        model.prefill(sequence, one.prompt, features, std::min(size, sequence.size() + chunk)));
  const mx::array all = mx::concatenate(hidden, 1);
  const mx::array logits =
      model.logits(mx::slice(all, {0, size - last, 0}, {1, size, all.shape(2)}));
  return mx::squeeze(logits, 0);
}

std::vector<int> greedy_tokens(const Model& model, const Case& one, int chunk, int count) {
  Sequence sequence = model.begin(one.prompt);
  mx::array logits = prefill_logits(model, sequence, one, encode_all(model, one), chunk, 1);
  std::vector<int> tokens;
  for (;;) {
    tokens.push_back(mx::argmax(mx::flatten(logits)).item<int>());
    if (static_cast<int>(tokens.size()) == count) return tokens;
    logits = model.logits(model.step(sequence, tokens.back()));
  }
}

float relative_error(const mx::array& actual, const mx::array& expected) {
  const mx::array a = mx::astype(mx::flatten(actual), mx::float32),
                  b = mx::astype(mx::flatten(expected), mx::float32);
  if (a.size() != b.size()) return std::numeric_limits<float>::infinity();
  return (mx::max(mx::abs(a - b)) / mx::max(mx::abs(b))).item<float>();
}

float cosine(const mx::array& a, const mx::array& b) {
  const mx::array x = mx::astype(mx::flatten(a), mx::float32),
                  y = mx::astype(mx::flatten(b), mx::float32);
  return (mx::sum(x * y) / mx::sqrt(mx::sum(x * x) * mx::sum(y * y))).item<float>();
}

std::string scientific(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", static_cast<double>(value));
  return text;
}

std::vector<int> to_ints(const mx::array& values) {
  mx::array flat = mx::contiguous(mx::astype(mx::flatten(values), mx::int32));
  mx::eval(flat);
  return {flat.data<int>(), flat.data<int>() + flat.size()};
}

}  // namespace prismvid::qwen3_vl

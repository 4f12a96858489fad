#include "inference/vision_language_model.h"

#include <algorithm>

#include "core/error.h"
#include "core/sha256.h"
#include "inference/active_request.h"
#include "inference/loaded_model.h"
#include "inference/memory_use.h"

namespace prismvid::inference {
namespace {

using Clock = std::chrono::steady_clock;

#ifdef __APPLE__
constexpr Device kGpu = Device::kMetal;
#else
constexpr Device kGpu = Device::kCuda;
#endif

void choose_device(Device device) {
  const bool gpu = mx::is_available(mx::Device::gpu);
  const bool wants_gpu = device == Device::kCuda || device == Device::kMetal;
  check(!wants_gpu || (gpu && device == kGpu), ErrorCode::kUnavailable,
        device == Device::kCuda ? "CUDA" : "Metal",
        " is not available: this build of MLX runs on the CPU",
        gpu ? " or the other kind of GPU" : " only");
  mx::set_default_device(device == Device::kCpu || !gpu ? mx::Device::cpu : mx::Device::gpu);
}

// Weights by their files' names, sizes and times; all that decides what they compute.
std::string identity_of(const std::filesystem::path& folder, const LoadOptions& options) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".safetensors" || file.path().filename() == "config.json")
      files.push_back(file.path().filename().string() + ":" + std::to_string(file.file_size()) +
                      ":" + std::to_string(file.last_write_time().time_since_epoch().count()));
  std::sort(files.begin(), files.end());
  std::string text = std::filesystem::weakly_canonical(folder).string();
  for (const std::string& file : files) text += ";" + file;
  for (const int value : {static_cast<int>(options.device), static_cast<int>(options.precision),
                          static_cast<int>(options.kernels), static_cast<int>(options.precise)})
    text += ";" + std::to_string(value);
  return sha256_hex(text);
}

}  // namespace

Device default_device() {
  return mx::is_available(mx::Device::gpu) ? kGpu : Device::kCpu;
}

int default_prefill_chunk() {
  return kGpu == Device::kCuda && mx::default_device() == mx::Device::gpu ? 8192 : 512;
}

LoadedModel load_model(const std::string& model, const LoadOptions& options) {
  const auto start = Clock::now();
  choose_device(options.device);
  const std::filesystem::path folder = find_model(model);
  qwen3_vl::LoadOptions load;
  if (options.precision == Precision::kFloat32) load.dtype = mx::float32;
  if (options.precision == Precision::kBfloat16) load.dtype = mx::bfloat16;
  if (options.kernels == Kernels::kFast)
    load.kernels = nn::KernelOptions{options.threads, options.precise};
  else
    load.kernels.reset();
  load.key_value_bits = options.kv_bits;
  PromptPlanner planner(folder);
  LoadedModel loaded{std::move(planner), qwen3_vl::Model::load(folder, load), 0,
                     identity_of(folder, options), 2};
  if (options.precision == Precision::kFloat32) loaded.bytes_per_number = 4;
  loaded.load_ms = milliseconds_between(start, Clock::now());
  return loaded;
}

GenerateOptions default_options(const PromptPlanner& planner) {
  const qwen3_vl::GenerationConfig& generation = planner.parts().generation;
  GenerateOptions options;
  options.sampling.temperature = generation.temperature;
  options.sampling.top_k = generation.top_k;
  options.sampling.top_p = generation.top_p;
  options.sampling.min_p = generation.min_p;
  options.sampling.repetition_penalty = generation.repetition_penalty;
  return options;
}

void check_has_vision(const LoadedModel& model, const Conversation& conversation) {
  check(conversation.media.empty() || model.model.has_vision(), ErrorCode::kModel,
        "this checkpoint is a text-only export: it has no vision tower, so it cannot look at "
        "images or videos");
}

Answer answer_alone(const LoadedModel& model, const Conversation& conversation,
                    const GenerateOptions& options, const TokenCallback& on_token,
                    std::stop_token stop) {
  check_has_vision(model, conversation);
  ActiveRequest request(model, {conversation,
                                make_plan(model.parts(), conversation, options),
                                options,
                                on_token,
                                stop,
                                {},
                                {},
                                {}});
  while (request.phase() != ActiveRequest::Phase::kDone) {
    if (request.is_cancelled()) {
      request.cancel();
    } else if (request.phase() == ActiveRequest::Phase::kDecode) {
      StepLogits logits = ActiveRequest::step(model, {&request});
      request.take(logits, 0);
    } else {
      request.work();
    }
  }
  return request.finish();
}

VisionLanguageModel::VisionLanguageModel(std::unique_ptr<const LoadedModel> loaded)
    : loaded_(std::move(loaded)) {}
VisionLanguageModel::~VisionLanguageModel() = default;
VisionLanguageModel::VisionLanguageModel(VisionLanguageModel&&) noexcept = default;

VisionLanguageModel VisionLanguageModel::load(const std::string& model,
                                              const LoadOptions& options) {
  return VisionLanguageModel(std::make_unique<const LoadedModel>(load_model(model, options)));
}

GenerateOptions VisionLanguageModel::defaults() const {
  return default_options(loaded_->planner);
}

const PromptPlanner& VisionLanguageModel::planner() const {
  return loaded_->planner;
}

Answer VisionLanguageModel::generate(const Conversation& conversation,
                                     const GenerateOptions& options, const TokenCallback& on_token,
                                     std::stop_token stop) const {
  return answer_alone(*loaded_, conversation, options, on_token, std::move(stop));
}

}  // namespace prismvid::inference

#include "inference/vision_language_model.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "inference/answer_builder.h"
#include "inference/loop_guard.h"
#include "models/qwen3_vl/model.h"
#include "tokenizer/tokenizer.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kLoopCheckEvery = 16;  // tokens

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss);
#else
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
#endif
  return std::max<uint64_t>(process, mx::get_peak_memory());
}

std::string file_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The Thinking checkpoints' template opens the answer with <think>; there is no other sign in the
// files.
bool opens_with_reasoning(const fs::path& folder) {
  for (const char* name : {"chat_template.jinja", "chat_template.json", "tokenizer_config.json"}) {
    const std::string text = file_text(folder / name);
    if (text.find("<|im_start|>assistant\\n<think>") != std::string::npos ||
        text.find("<|im_start|>assistant\\\\n<think>") != std::string::npos)
      return true;
  }
  return false;
}

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

std::vector<float> to_floats(const mx::array& values) {
  mx::array flat = mx::contiguous(mx::flatten(values));
  mx::eval(flat);
  return {flat.data<float>(), flat.data<float>() + flat.size()};
}

}  // namespace

Device default_device() {
  return mx::is_available(mx::Device::gpu) ? kGpu : Device::kCpu;
}

const char* to_string(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kLoop:
      return "loop";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "stop";
}

fs::path hub_folder() {
  const auto variable = [](const char* name) -> std::optional<fs::path> {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<fs::path>(value) : std::nullopt;
  };
  const fs::path home =
      variable("HF_HOME").value_or(variable("HOME").value_or("/") / ".cache" / "huggingface");
  return variable("HF_HUB_CACHE").value_or(home / "hub");
}

fs::path find_model(const std::string& model) {
  if (fs::is_directory(model)) return model;
  const fs::path hub = hub_folder();
  const size_t slash = model.find('/');
  if (slash != std::string::npos && model.find('/', slash + 1) == std::string::npos &&
      model[0] != '.') {
    const fs::path repository =
        hub / ("models--" + model.substr(0, slash) + "--" + model.substr(slash + 1));
    std::string revision = file_text(repository / "refs" / "main");
    revision.erase(std::find_if(revision.begin(), revision.end(), [](char c) { return c <= ' '; }),
                   revision.end());
    if (!revision.empty() && fs::is_directory(repository / "snapshots" / revision))
      return repository / "snapshots" / revision;
  }
  fail(ErrorCode::kNotFound, "no model ", model, ": neither a folder nor a model in ", hub.string(),
       "; get it with 'prismvid models pull ", model, "'");
}

struct PromptPlanner::Parts {
  explicit Parts(const fs::path& folder)
      : config(read_config(folder)),
        processor(qwen3_vl::read_processor_config(folder)),
        generation(qwen3_vl::read_generation_config(folder)),
        tokenizer(tokenizer::Tokenizer::load(folder)),
        thinking(opens_with_reasoning(folder)),
        close_token(tokenizer.added_token_id("</think>").value_or(-1)) {
    if (generation.end_tokens.empty())
      for (const char* name : {"<|im_end|>", "<|endoftext|>"})
        if (const auto id = tokenizer.added_token_id(name)) generation.end_tokens.push_back(*id);
    check(!thinking || close_token >= 0, ErrorCode::kModel, folder.string(),
          ": a Thinking model without </think>");
  }

  static qwen3_vl::Config read_config(const fs::path& folder) {
    check(fs::is_directory(folder), ErrorCode::kNotFound, "no model folder ", folder.string());
    const auto file = qwen3_vl::read_json(folder / "config.json");
    check(file.has_value(), ErrorCode::kModel, folder.string(), " holds no config.json");
    return qwen3_vl::parse_config(*file);
  }

  MediaSettings settings() const { return {config.vision, processor}; }

  qwen3_vl::Config config;
  qwen3_vl::ProcessorConfig processor;
  qwen3_vl::GenerationConfig generation;
  tokenizer::Tokenizer tokenizer;
  bool thinking;
  int close_token;
};

namespace {

struct Planned {
  qwen3_vl::Prompt prompt;
  std::vector<MediaPlan> media;
};

template <typename Parts>
Planned make_plan(const Parts& parts, const Conversation& conversation,
                  const GenerateOptions& options) {
  Planned planned;
  std::vector<qwen3_vl::MediaLayout> layouts;
  for (const auto& medium : conversation.media) {
    planned.media.push_back(plan_media(medium, parts.settings()));
    layouts.push_back(planned.media.back().layout);
  }
  const tokenizer::ChatOptions chat{parts.thinking, true, options.number_media};
  planned.prompt =
      qwen3_vl::make_prompt(tokenizer::render_chat(conversation.messages, conversation.tools, chat),
                            layouts, parts.tokenizer, parts.config, options.dialect);
  return planned;
}

}  // namespace

PromptPlanner::PromptPlanner(const fs::path& folder)
    : parts_(std::make_shared<const Parts>(folder)) {}
PromptPlanner::~PromptPlanner() = default;

const qwen3_vl::Config& PromptPlanner::config() const {
  return parts_->config;
}
bool PromptPlanner::is_thinking() const {
  return parts_->thinking;
}

PromptPlan PromptPlanner::plan(const Conversation& conversation,
                               const GenerateOptions& options) const {
  Planned planned = make_plan(*parts_, conversation, options);
  PromptPlan plan{std::move(planned.prompt.ids), std::move(planned.media), 0};
  for (const auto& span : planned.prompt.spans) plan.visual_tokens += span.tokens();
  return plan;
}

int PromptPlanner::count_tokens(const std::string& text) const {
  return static_cast<int>(parts_->tokenizer.encode(text).size());
}

Size PromptPlanner::frame_size(Size source, int frames,
                               const qwen3_vl::VideoOptions& options) const {
  return qwen3_vl::planned_frame_size(source, frames, options, parts_->processor,
                                      parts_->config.vision);
}

struct VisionLanguageModel::State {
  PromptPlanner planner;
  qwen3_vl::Model model;
  double load_ms = 0;
};

namespace {

// One answer in the making.
class Generation {
 public:
  Generation(const qwen3_vl::Model& model, const tokenizer::Tokenizer& tokenizer,
             const GenerateOptions& options, const std::vector<int>& end_tokens, bool thinking,
             int close_token, const TokenCallback& on_token, const std::stop_token& stop)
      : model_(model),
        options_(options),
        end_tokens_(end_tokens),
        on_token_(on_token),
        stop_(stop),
        sampler_(options.sampling),
        builder_(tokenizer, thinking, close_token, options.stop_strings),
        forced_close_(tokenizer.encode("\n")) {
    check(options.max_tokens > 0, ErrorCode::kInvalidArgument, "max-tokens must be 1 or more");
    check(options.prefill_chunk > 0, ErrorCode::kInvalidArgument,
          "the prefill chunk must be 1 or more tokens");
    forced_close_.push_back(close_token);
    for (const int id : tokenizer.encode("\n\n")) forced_close_.push_back(id);
  }

  Answer run(const qwen3_vl::Prompt& prompt,
             const std::optional<qwen3_vl::VisionFeatures>& features) {
    answer_.prompt_token_ids = prompt.ids;
    const auto start = Clock::now();
    qwen3_vl::Sequence sequence = model_.begin(prompt);
    std::optional<mx::array> logits = prefill(sequence, prompt, features);
    answer_.timings.prefill_ms = milliseconds_since(start);
    const auto decode_start = Clock::now();
    while (logits && !take(*logits))
      logits = model_.logits(model_.step(sequence, answer_.token_ids.back()));
    const TextDelta rest = builder_.finish();
    if (on_token_ && !(rest.text.empty() && rest.reasoning.empty()))
      on_token_({-1, rest.text, rest.reasoning});
    answer_.timings.decode_ms = milliseconds_since(decode_start);
    answer_.text = builder_.text();
    answer_.reasoning = builder_.reasoning();
    return std::move(answer_);
  }

 private:
  // Logits behind the last prompt token; nullopt when cancelled.
  std::optional<mx::array> prefill(qwen3_vl::Sequence& sequence, const qwen3_vl::Prompt& prompt,
                                   const std::optional<qwen3_vl::VisionFeatures>& features) {
    const int size = static_cast<int>(prompt.ids.size());
    for (;;) {
      if (stop_.stop_requested()) {
        answer_.finish_reason = FinishReason::kCancelled;
        return std::nullopt;
      }
      const int end = std::min(size, sequence.size() + options_.prefill_chunk);
      const mx::array hidden = model_.prefill(sequence, prompt, features, end);
      const int last = hidden.shape(1);
      mx::array tail = mx::slice(hidden, {0, last - 1, 0}, {1, last, hidden.shape(2)});
      mx::eval(tail);
      if (end < size) continue;
      mx::array logits = model_.logits(tail);
      mx::eval(logits);
      return logits;
    }
  }

  // Takes the next token; true when the answer is complete.
  bool take(const mx::array& logits) {
    if (stop_.stop_requested()) return end(FinishReason::kCancelled);
    std::vector<float> scores = to_floats(logits);
    const std::vector<float> raw =
        options_.top_log_probabilities >= 0 ? scores : std::vector<float>();
    const int id = next_token(scores);
    if (!raw.empty())
      answer_.log_probabilities.push_back(
          nn::log_probabilities(raw, id, options_.top_log_probabilities));
    answer_.token_ids.push_back(id);
    const bool is_end = std::find(end_tokens_.begin(), end_tokens_.end(), id) != end_tokens_.end();
    if (is_end && !options_.ignore_end) return end(FinishReason::kStop);
    const TextDelta delta = builder_.push(id);
    if (on_token_) on_token_({id, delta.text, delta.reasoning});
    if (builder_.is_stopped()) return end(FinishReason::kStop);
    const int count = static_cast<int>(answer_.token_ids.size());
    if (count >= options_.max_tokens) return end(FinishReason::kLength);
    if (options_.loop_guard && count % kLoopCheckEvery == 0 && ends_in_loop(answer_.token_ids))
      return end(FinishReason::kLoop);
    return false;
  }

  int next_token(std::vector<float>& scores) {
    const bool spent = options_.thinking_budget && builder_.is_thinking() &&
                       static_cast<int>(answer_.token_ids.size()) >= *options_.thinking_budget;
    if (spent || (forced_ > 0 && forced_ < forced_close_.size())) {
      const int id = forced_close_[forced_++];
      sampler_.remember(id);
      return id;
    }
    return sampler_.pick(scores);
  }

  bool end(FinishReason reason) {
    answer_.finish_reason = reason;
    return true;
  }

  const qwen3_vl::Model& model_;
  const GenerateOptions& options_;
  const std::vector<int>& end_tokens_;
  const TokenCallback& on_token_;
  const std::stop_token stop_;
  nn::Sampler sampler_;
  AnswerBuilder builder_;
  std::vector<int> forced_close_;  // "\n</think>\n\n"
  size_t forced_ = 0;
  Answer answer_;
};

std::optional<qwen3_vl::VisionFeatures> encode_media(const qwen3_vl::Model& model,
                                                     const Conversation& conversation,
                                                     const std::vector<MediaPlan>& plans,
                                                     const MediaSettings& settings,
                                                     const std::stop_token& stop) {
  std::vector<qwen3_vl::VisionFeatures> parts;
  for (size_t i = 0; i < plans.size(); ++i)
    load_media(
        conversation.media[i], plans[i], settings,
        [&](const qwen3_vl::PatchRows& rows) {
          parts.push_back(model.encode(rows));
          std::vector<mx::array> outputs = parts.back().deepstack;
          outputs.push_back(parts.back().embeddings);
          mx::eval(outputs);  // part by part: memory stays that of one
        },
        stop);
  if (parts.empty()) return std::nullopt;
  return qwen3_vl::concatenated(parts);
}

}  // namespace

VisionLanguageModel::VisionLanguageModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
VisionLanguageModel::~VisionLanguageModel() = default;
VisionLanguageModel::VisionLanguageModel(VisionLanguageModel&&) noexcept = default;

VisionLanguageModel VisionLanguageModel::load(const std::string& model,
                                              const LoadOptions& options) {
  const auto start = Clock::now();
  choose_device(options.device);
  const fs::path folder = find_model(model);
  qwen3_vl::LoadOptions load;
  if (options.precision == Precision::kFloat32) load.dtype = mx::float32;
  if (options.precision == Precision::kBfloat16) load.dtype = mx::bfloat16;
  if (options.kernels == Kernels::kFast)
    load.kernels = nn::KernelOptions{options.threads, options.precise};
  else
    load.kernels.reset();
  PromptPlanner planner(folder);
  auto state =
      std::make_unique<State>(State{std::move(planner), qwen3_vl::Model::load(folder, load), 0});
  state->load_ms = milliseconds_since(start);
  return VisionLanguageModel(std::move(state));
}

GenerateOptions VisionLanguageModel::defaults() const {
  const qwen3_vl::GenerationConfig& generation = state_->planner.parts_->generation;
  GenerateOptions options;
  options.sampling.temperature = generation.temperature;
  options.sampling.top_k = generation.top_k;
  options.sampling.top_p = generation.top_p;
  options.sampling.min_p = generation.min_p;
  options.sampling.repetition_penalty = generation.repetition_penalty;
  return options;
}

const PromptPlanner& VisionLanguageModel::planner() const {
  return state_->planner;
}

Answer VisionLanguageModel::generate(const Conversation& conversation,
                                     const GenerateOptions& options, const TokenCallback& on_token,
                                     std::stop_token stop) const {
  const PromptPlanner::Parts& parts = *state_->planner.parts_;
  check(conversation.media.empty() || state_->model.has_vision(), ErrorCode::kModel,
        "this checkpoint is a text-only export: it has no vision tower, so it cannot look at "
        "images or videos");
  const auto start = Clock::now();
  const Planned planned = make_plan(parts, conversation, options);
  const int room = parts.config.text.max_positions - static_cast<int>(planned.prompt.ids.size());
  GenerateOptions limited = options;
  limited.max_tokens = std::min(options.max_tokens, std::max(1, room));
  Generation generation(state_->model, parts.tokenizer, limited, parts.generation.end_tokens,
                        parts.thinking, parts.close_token, on_token, stop);
  const auto features =
      encode_media(state_->model, conversation, planned.media, parts.settings(), stop);
  const double vision_ms = conversation.media.empty() ? 0 : milliseconds_since(start);
  Answer answer;
  if (stop.stop_requested()) {
    answer.prompt_token_ids = planned.prompt.ids;
    answer.finish_reason = FinishReason::kCancelled;
  } else {
    answer = generation.run(planned.prompt, features);
  }
  answer.timings.load_ms = state_->load_ms;
  answer.timings.vision_ms = vision_ms;
  answer.peak_memory_bytes = peak_memory();
  return answer;
}

}  // namespace prismvid::inference

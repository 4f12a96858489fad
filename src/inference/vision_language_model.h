#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "grammar/grammar.h"
#include "inference/conversation.h"
#include "inference/hub.h"
#include "inference/media_loader.h"
#include "nn/sampler.h"
#include "prismvid/answer.h"
#include "prismvid/device.h"

namespace prismvid::inference {

struct LoadedModel;

using prismvid::Answer;
using prismvid::Device;
using prismvid::FinishReason;
using prismvid::Precision;
using prismvid::Timings;
using prismvid::TokenCallback;
using prismvid::TokenEvent;

/// What kAuto means here.
Device default_device();

/// Of the device that models run on: a GPU of NVIDIA unpacks all weights for each chunk, so few and
/// long ones are fastest there.
int default_prefill_chunk();
enum class Kernels { kFast, kPlain };  // on a CPU: PrismVid's own, or MLX's for comparison

struct LoadOptions {
  Device device = Device::kAuto;
  Precision precision = Precision::kAuto;
  Kernels kernels = Kernels::kFast;
  bool precise = false;  // never round activations to int8 in products with quantised weights
  int threads = 0;       // of the CPU kernels; 0: all this process may use
  /// Bits that keys and values are kept in: 8 or 4 in groups with a scale and a bias, 16 as they
  /// come. Fewer take less memory and change answers a little.
  int kv_bits = 16;
};

/// How to answer. Start from VisionLanguageModel::defaults() for the checkpoint's own sampling.
struct GenerateOptions {
  int max_tokens = 512;
  nn::SamplingOptions sampling;
  std::vector<std::string> stop_strings;
  bool ignore_end = false;  // go on behind end tokens
  int top_log_probabilities =
      -1;  // -1: none; 0: of the chosen token only; k: of the k likeliest too
  std::optional<int> thinking_budget;  // reasoning tokens after which </think> is forced
  bool loop_guard = false;
  /// What the answer may be, behind any reasoning. Unfinished answers are marked: Answer::valid.
  std::shared_ptr<const grammar::Grammar> grammar;
  bool number_media = false;  // "Picture 1: " before each
  qwen3_vl::VideoDialect dialect = qwen3_vl::VideoDialect::kRelease;
  /// Prompt tokens run together; 0: default_prefill_chunk().
  int prefill_chunk = 0;
  /// Most tokens guessed ahead in one step, from the prompt, the answer and the grammar; 0: none.
  /// Guesses that the model does not make itself are dropped, so no answer depends on them.
  int draft_tokens = 7;
};

/// The prompt of a conversation and what its media cost, without running the model.
struct PromptPlan {
  std::vector<int> token_ids;
  std::vector<MediaPlan> media;
  int visual_tokens = 0;
};

/// Everything of a checkpoint but its weights: enough to count tokens. Immutable, thread-safe.
class PromptPlanner {
 public:
  /// Throws Error(kNotFound or kModel).
  explicit PromptPlanner(const std::filesystem::path& folder);
  ~PromptPlanner();

  PromptPlan plan(const Conversation& conversation, const GenerateOptions& options = {}) const;
  int count_tokens(const std::string& text) const;
  /// What a token stands for: part of a character, or a special token's name.
  std::string token_bytes(int id) const;
  /// Size that a video's frames are resized to when `frames` of them are shown.
  Size frame_size(Size source, int frames, const qwen3_vl::VideoOptions& options) const;
  const qwen3_vl::Config& config() const;
  bool is_thinking() const;

  struct Parts;  // inside inference only
  const Parts& parts() const { return *parts_; }

 private:
  std::shared_ptr<const Parts> parts_;
};

/// A loaded model that answers one conversation at a time; Engine answers many.
class VisionLanguageModel {
 public:
  /// `model`: a folder, or a name like "mlx-community/Qwen3-VL-2B-Instruct-4bit" of a model in the
  /// Hugging Face cache. Throws Error(kNotFound), Error(kModel), Error(kUnavailable) for a device
  /// this build or machine lacks.
  static VisionLanguageModel load(const std::string& model, const LoadOptions& options = {});
  ~VisionLanguageModel();
  VisionLanguageModel(VisionLanguageModel&&) noexcept;

  /// Sampling of generation_config.json.
  GenerateOptions defaults() const;
  const PromptPlanner& planner() const;
  /// Answers the conversation's last message. A stop request ends the answer with kCancelled.
  /// Throws Error: kInvalidArgument, kNotFound, kUnreadable, kNotVideo, kModel.
  Answer generate(const Conversation& conversation, const GenerateOptions& options,
                  const TokenCallback& on_token = {}, std::stop_token stop = {}) const;

 private:
  explicit VisionLanguageModel(std::unique_ptr<const LoadedModel> loaded);
  std::unique_ptr<const LoadedModel> loaded_;
};

}  // namespace prismvid::inference

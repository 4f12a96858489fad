#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "answer.h"
#include "device.h"
#include "error.h"
#include "message.h"

/// Asking Qwen3-VL about pictures and videos: load() a checkpoint, then generate() answers.
namespace prismvid {

struct LoadOptions {
  Device device = Device::kAuto;
  Precision precision = Precision::kAuto;
  int threads = 0;       // of a CPU; 0: all this process may use
  bool precise = false;  // on a CPU: do not round activations to 8 bits in quantised products
  double memory_gb = 0;  // for weights, caches and answers; 0: four fifths of this machine's
};

/// How to answer; what is not set is as the checkpoint's generation_config.json says.
struct GenerateOptions {
  int max_tokens = 512;
  std::optional<float> temperature = {};  // 0 takes the likeliest token
  std::optional<int> top_k = {};          // 0: all
  std::optional<float> top_p = {};
  std::optional<float> min_p = {};
  std::optional<float> presence_penalty = {};  // penalties look at generated tokens only
  std::optional<float> frequency_penalty = {};
  std::optional<float> repetition_penalty = {};
  std::map<int, float> logit_bias = {};  // added to the scores of tokens, by id
  uint64_t seed = 0;
  std::vector<std::string> stop = {};  // texts to end before
  bool ignore_end = false;             // go on behind end tokens
  int logprobs = -1;  // -1: none; 0: of the chosen tokens; k: of the k likeliest at each place too
  std::optional<int> thinking_budget = {};  // reasoning tokens after which </think> is forced
  bool loop_guard = false;                  // end an answer that repeats itself
  bool number_media = false;                // "Picture 1: " and "Video 1: " before each
  /// What the answer may be: at most one of these.
  std::string json_schema = {};  // JSON Schema as text
  std::string regex = {};
  std::vector<std::string> choices = {};
  std::string tools = {};  // JSON list of function signatures
};

/// A loaded model with its tokenizer. Thread-safe: answers asked for at the same time are made
/// together.
class Model {
 public:
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  /// Number of tokens of a text.
  int count_tokens(const std::string& words) const;

  struct State;  // inside the library only

 private:
  friend Model load(const std::string& checkpoint, const LoadOptions& options);
  friend Answer generate(const Model& model, const std::vector<Message>& messages,
                         const GenerateOptions& options, const TokenCallback& on_token,
                         std::stop_token stop);
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// `checkpoint`: a folder, or a name like "mlx-community/Qwen3-VL-8B-Instruct-3bit" of a model in
/// the Hugging Face cache (`prismvid models pull` fills it). Throws Error(kNotFound),
/// Error(kModel), Error(kUnavailable) for a device that this build or machine lacks.
Model load(const std::string& checkpoint, const LoadOptions& options = {});

/// Answers the last message. `on_token` is called in order from the model's thread: it must be
/// quick, must not ask the same model, and what it throws comes out here. A stop request ends the
/// answer with FinishReason::kCancelled. Throws Error: kInvalidArgument, kNotFound, kUnreadable,
/// kNotVideo, kModel, kUnavailable for what needs more memory than there is.
Answer generate(const Model& model, const std::vector<Message>& messages,
                const GenerateOptions& options = {}, const TokenCallback& on_token = {},
                std::stop_token stop = {});

}  // namespace prismvid

#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace prismvid::qwen3_vl {

struct VisionConfig {
  int depth = 0;
  int hidden_size = 0;
  int intermediate_size = 0;
  int heads = 0;
  int in_channels = 3;
  int patch_size = 16;
  int temporal_patch_size = 2;
  int spatial_merge_size = 2;
  int out_hidden_size = 0;
  int position_embeddings = 0;         // a square number
  std::vector<int> deepstack_indexes;  // blocks after which features are taken, ascending

  int patch_values() const { return in_channels * temporal_patch_size * patch_size * patch_size; }
  int factor() const { return patch_size * spatial_merge_size; }  // pixels a side of one token
};

/// Present for a mixture of experts.
struct ExpertConfig {
  int experts = 0;
  int experts_per_token = 0;
  int intermediate_size = 0;
  int sparse_step = 1;
  bool normalize = true;
  std::vector<int> dense_layers;
};

/// Rotary embedding stretched to longer contexts, as YaRN (arXiv:2309.00071).
struct YarnConfig {
  double factor = 1;
  double original_positions = 0;  // that the model was trained with
  double beta_fast = 32;          // turns within the trained context: above these, unchanged
  double beta_slow = 1;           // and below these, stretched by the whole factor
  bool truncate = true;           // the borders between to whole frequencies
  double attention_factor = 1;    // queries and keys are this much longer
};

struct TextConfig {
  int hidden_size = 0;
  int intermediate_size = 0;
  int layers = 0;
  int heads = 0;
  int key_value_heads = 0;
  int head_dim = 0;
  int vocabulary = 0;
  int max_positions = 0;
  float rms_norm_epsilon = 1e-6f;
  double rope_theta = 0;
  std::array<int, 3> mrope_section{};  // frequencies of time, height, width
  std::optional<YarnConfig> yarn;
  std::optional<ExpertConfig> experts;

  bool is_sparse(int layer) const;
};

struct Config {
  TextConfig text;
  VisionConfig vision;
  bool tied_head = false;
  int image_token = 0;
  int video_token = 0;
  int vision_start_token = 0;
  int vision_end_token = 0;
  nlohmann::json file;  // the whole config.json
};

/// Reads a config.json as transformers 4.57 and 5.x write it. Throws Error(kModel) for another
/// model, a missing key or values that cannot be.
Config parse_config(const nlohmann::json& file);

/// What the processor's files of the checkpoint say; the released values where a file is missing.
struct ProcessorConfig {
  int64_t image_min_pixels = 65536;
  int64_t image_max_pixels = 16777216;
  int64_t video_min_pixels = 4096;  // of all frames together
  int64_t video_max_pixels = 25165824;
  double video_fps = 2;
  int video_min_frames = 4;
  int video_max_frames = 768;
  std::array<float, 3> mean{0.5f, 0.5f, 0.5f};
  std::array<float, 3> deviation{0.5f, 0.5f, 0.5f};
};
ProcessorConfig read_processor_config(const std::filesystem::path& folder);

/// Defaults of sampling and the tokens that end an answer.
struct GenerationConfig {
  float temperature = 0;
  int top_k = 0;
  float top_p = 1;
  float min_p = 0;
  float repetition_penalty = 1;
  std::vector<int> end_tokens;
};
GenerationConfig read_generation_config(const std::filesystem::path& folder);

/// A JSON file of the checkpoint, nullopt when it is not there. Throws Error(kModel) when it is
/// damaged.
std::optional<nlohmann::json> read_json(const std::filesystem::path& path);

}  // namespace prismvid::qwen3_vl

#include "models/qwen3_vl/config.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>

#include "core/error.h"
#include "core/json_depth.h"

namespace prismvid::qwen3_vl {
namespace {

using nlohmann::json;

template <typename T>
T required(const json& node, const char* key, const char* where) {
  const auto entry = node.find(key);
  check(entry != node.end() && !entry->is_null(), ErrorCode::kModel, "config.json: ", where,
        " lacks ", key);
  return entry->get<T>();
}

int positive(const json& node, const char* key, const char* where) {
  const auto value = required<int64_t>(node, key, where);
  check(value > 0 && value <= (1 << 24), ErrorCode::kModel, "config.json: ", where, ".", key,
        " is ", value);
  return static_cast<int>(value);
}

// Defaults as _compute_yarn_parameters() of transformers.
YarnConfig read_yarn(const json& rope, const TextConfig& text) {
  YarnConfig yarn;
  const char* where = "the rope entry of text_config";
  const auto number = [&](const char* key, double fallback) {
    const auto entry = rope.find(key);
    return entry == rope.end() || entry->is_null() ? fallback : entry->get<double>();
  };
  yarn.factor = required<double>(rope, "factor", where);
  yarn.original_positions = number("original_max_position_embeddings", text.max_positions);
  yarn.beta_fast = number("beta_fast", yarn.beta_fast);
  yarn.beta_slow = number("beta_slow", yarn.beta_slow);
  yarn.truncate = rope.value("truncate", yarn.truncate);
  const auto length = [&](double scale) { return 0.1 * scale * std::log(yarn.factor) + 1; };
  const double scale = number("mscale", 0), scale_all = number("mscale_all_dim", 0);
  const bool scaled = scale != 0 && scale_all != 0;
  yarn.attention_factor =
      number("attention_factor", scaled ? length(scale) / length(scale_all) : length(1));
  const auto is_size = [](double value) { return value >= 1 && value < 1e9; };
  check(is_size(yarn.factor) && is_size(yarn.original_positions) && yarn.beta_slow > 0 &&
            yarn.beta_slow < yarn.beta_fast && is_size(yarn.beta_fast) &&
            yarn.attention_factor > 0 && yarn.attention_factor < 100,
        ErrorCode::kModel, "config.json: a YaRN of factor ", yarn.factor, " from ",
        yarn.original_positions, " positions cannot be");
  return yarn;
}

// rope_scaling with rope_theta beside it (transformers 4.57), or both in rope_parameters (5.x).
void read_rope(const json& node, TextConfig& text) {
  const bool together = node.contains("rope_parameters") && node["rope_parameters"].is_object();
  const json& rope =
      together ? node["rope_parameters"] : node.value("rope_scaling", json::object());
  const json& theta_home = rope.contains("rope_theta") ? rope : node;
  text.rope_theta = required<double>(theta_home, "rope_theta", "text_config");
  const std::string type = rope.value("rope_type", rope.value("type", std::string("default")));
  check(type == "default" || type == "mrope" || type == "yarn", ErrorCode::kModel,
        "config.json: rope type ", type, " is not supported; known are default and yarn");
  check(text.rope_theta > 1 && text.rope_theta < 1e12, ErrorCode::kModel,
        "config.json: rope_theta is ", text.rope_theta);
  if (type == "yarn") text.yarn = read_yarn(rope, text);
  text.mrope_section =
      required<std::array<int, 3>>(rope, "mrope_section", "the rope entry of text_config");
  check(rope.value("mrope_interleaved", true), ErrorCode::kModel,
        "config.json: mrope_interleaved must be true for Qwen3-VL");
  const auto& s = text.mrope_section;
  check(s[0] >= 0 && s[1] >= 0 && s[2] >= 0 && int64_t{s[0]} + s[1] + s[2] == text.head_dim / 2 &&
            3 * int64_t{std::max(s[1], s[2])} <= text.head_dim / 2,
        ErrorCode::kModel, "config.json: mrope_section does not fit head_dim ", text.head_dim);
}

ExpertConfig read_experts(const json& node) {
  ExpertConfig experts;
  experts.experts = positive(
      node, node.contains("num_experts") ? "num_experts" : "num_local_experts", "text_config");
  experts.experts_per_token = positive(node, "num_experts_per_tok", "text_config");
  experts.intermediate_size = positive(node, "moe_intermediate_size", "text_config");
  experts.sparse_step = node.value("decoder_sparse_step", 1);
  experts.normalize = node.value("norm_topk_prob", true);
  experts.dense_layers = node.value("mlp_only_layers", std::vector<int>{});
  check(experts.experts_per_token <= experts.experts && experts.sparse_step > 0, ErrorCode::kModel,
        "config.json: ", experts.experts_per_token, " of ", experts.experts, " experts cannot be");
  return experts;
}

TextConfig read_text(const json& node) {
  TextConfig text;
  text.hidden_size = positive(node, "hidden_size", "text_config");
  text.layers = positive(node, "num_hidden_layers", "text_config");
  text.heads = positive(node, "num_attention_heads", "text_config");
  text.key_value_heads = positive(node, "num_key_value_heads", "text_config");
  text.head_dim = node.contains("head_dim") && !node["head_dim"].is_null()
                      ? positive(node, "head_dim", "text_config")
                      : text.hidden_size / text.heads;
  text.vocabulary = positive(node, "vocab_size", "text_config");
  text.max_positions = positive(node, "max_position_embeddings", "text_config");
  text.rms_norm_epsilon = required<float>(node, "rms_norm_eps", "text_config");
  if (node.contains("num_experts") || node.contains("num_local_experts"))
    text.experts = read_experts(node);
  if (!text.experts || node.contains("intermediate_size"))
    text.intermediate_size = positive(node, "intermediate_size", "text_config");
  check(text.heads % text.key_value_heads == 0 && text.head_dim % 2 == 0, ErrorCode::kModel,
        "config.json: ", text.heads, " heads, ", text.key_value_heads,
        " key-value heads and head_dim ", text.head_dim, " do not go together");
  check(!node.value("attention_bias", false), ErrorCode::kModel,
        "config.json: attention_bias is not supported");
  const auto activation = node.value("hidden_act", std::string("silu"));
  check(activation == "silu", ErrorCode::kModel, "config.json: text activation ", activation,
        " is not supported");
  read_rope(node, text);
  return text;
}

VisionConfig read_vision(const json& node, const TextConfig& text) {
  VisionConfig vision;
  vision.depth = positive(node, "depth", "vision_config");
  vision.hidden_size = positive(node, "hidden_size", "vision_config");
  vision.intermediate_size = positive(node, "intermediate_size", "vision_config");
  vision.heads = positive(node, "num_heads", "vision_config");
  vision.in_channels = positive(node, "in_channels", "vision_config");
  vision.patch_size = positive(node, "patch_size", "vision_config");
  vision.temporal_patch_size = positive(node, "temporal_patch_size", "vision_config");
  vision.spatial_merge_size = positive(node, "spatial_merge_size", "vision_config");
  vision.out_hidden_size = positive(node, "out_hidden_size", "vision_config");
  vision.position_embeddings = positive(node, "num_position_embeddings", "vision_config");
  vision.deepstack_indexes =
      required<std::vector<int>>(node, "deepstack_visual_indexes", "vision_config");
  const auto& indexes = vision.deepstack_indexes;
  check(std::is_sorted(indexes.begin(), indexes.end()) &&
            static_cast<int>(indexes.size()) <= text.layers &&
            (indexes.empty() || (indexes.front() >= 0 && indexes.back() < vision.depth)),
        ErrorCode::kModel, "config.json: deepstack_visual_indexes do not fit ", vision.depth,
        " blocks and ", text.layers, " layers");
  const int side = static_cast<int>(std::lround(std::sqrt(vision.position_embeddings)));
  check(side * side == vision.position_embeddings && vision.hidden_size % (4 * vision.heads) == 0 &&
            vision.in_channels == 3 && vision.temporal_patch_size == 2 &&
            vision.spatial_merge_size == 2,
        ErrorCode::kModel, "config.json: vision_config describes no Qwen3-VL tower");
  check(vision.out_hidden_size == text.hidden_size, ErrorCode::kModel,
        "config.json: out_hidden_size ", vision.out_hidden_size,
        " of the vision tower is not hidden_size ", text.hidden_size, " of the text");
  const auto activation = node.value("hidden_act", std::string("gelu_pytorch_tanh"));
  check(activation == "gelu_pytorch_tanh", ErrorCode::kModel, "config.json: vision activation ",
        activation, " is not supported");
  return vision;
}

Config parse_checked(const json& file) {
  const auto type = file.value("model_type", std::string());
  check(type == "qwen3_vl" || type == "qwen3_vl_moe", ErrorCode::kModel,
        "config.json: model_type is \"", type, "\"; supported are qwen3_vl and qwen3_vl_moe");
  Config config;
  config.file = file;
  config.text = read_text(required<json>(file, "text_config", "the file"));
  config.vision = read_vision(required<json>(file, "vision_config", "the file"), config.text);
  config.tied_head =
      file.value("tie_word_embeddings", file["text_config"].value("tie_word_embeddings", false));
  config.image_token = positive(file, "image_token_id", "the file");
  config.video_token = positive(file, "video_token_id", "the file");
  config.vision_start_token = positive(file, "vision_start_token_id", "the file");
  config.vision_end_token = positive(file, "vision_end_token_id", "the file");
  return config;
}

// JSON has no largest number, int has: what does not fit would become any other number.
void check_numbers(const json& node, const std::string& where) {
  if (node.is_number())
    check(std::abs(node.get<double>()) <= std::numeric_limits<int>::max(), ErrorCode::kModel, where,
          " is ", node.dump(), "; no number of a model is so large");
  if (node.is_object())
    for (const auto& [key, value] : node.items()) check_numbers(value, where + ": " + key);
  if (node.is_array())
    for (const json& value : node) check_numbers(value, where);
}

// Calls `read` with the file's contents where it is there; its JSON errors become ours.
template <typename Read>
void with_file(const std::filesystem::path& path, const Read& read) {
  const auto file = read_json(path);
  if (!file) return;
  check_numbers(*file, path.filename().string());
  try {
    read(*file);
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, path.filename().string(), ": ", e.what());
  }
}

void read_pixel_range(const json& file, int64_t& min_pixels, int64_t& max_pixels) {
  const json size = file.value("size", json::object());
  min_pixels = size.value("shortest_edge", file.value("min_pixels", min_pixels));
  max_pixels = size.value("longest_edge", file.value("max_pixels", max_pixels));
  check(min_pixels > 0 && min_pixels <= max_pixels, ErrorCode::kModel, "the processor's size from ",
        min_pixels, " to ", max_pixels, " pixels cannot be");
}

}  // namespace

bool TextConfig::is_sparse(int layer) const {
  if (!experts) return false;
  const auto& dense = experts->dense_layers;
  return std::find(dense.begin(), dense.end(), layer) == dense.end() &&
         (layer + 1) % experts->sparse_step == 0;
}

Config parse_config(const json& file) {
  check_numbers(file, "config.json");
  try {
    return parse_checked(file);
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, "config.json: ", e.what());
  }
}

ProcessorConfig read_processor_config(const std::filesystem::path& folder) {
  ProcessorConfig config;
  with_file(folder / "preprocessor_config.json", [&](const json& file) {
    read_pixel_range(file, config.image_min_pixels, config.image_max_pixels);
    config.mean = file.value("image_mean", config.mean);
    config.deviation = file.value("image_std", config.deviation);
  });
  with_file(folder / "video_preprocessor_config.json", [&](const json& file) {
    read_pixel_range(file, config.video_min_pixels, config.video_max_pixels);
    config.video_fps = file.value("fps", config.video_fps);
    config.video_min_frames = file.value("min_frames", config.video_min_frames);
    config.video_max_frames = file.value("max_frames", config.video_max_frames);
  });
  return config;
}

GenerationConfig read_generation_config(const std::filesystem::path& folder) {
  GenerationConfig config;
  with_file(folder / "generation_config.json", [&](const json& file) {
    if (file.value("do_sample", false)) {
      config.temperature = file.value("temperature", 1.0f);
      config.top_k = file.value("top_k", 50);  // transformers' own default
      config.top_p = file.value("top_p", 1.0f);
      config.min_p = file.value("min_p", 0.0f);
    }
    config.repetition_penalty = file.value("repetition_penalty", 1.0f);
    if (const auto end = file.find("eos_token_id"); end != file.end() && !end->is_null())
      config.end_tokens =
          end->is_array() ? end->get<std::vector<int>>() : std::vector<int>{end->get<int>()};
  });
  return config;
}

std::optional<json> read_json(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in.good()) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  check(!nests_deeper_than(text), ErrorCode::kModel, path.string(), " is nested too deeply");
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, path.string(), " is not valid JSON: ", e.what());
  }
}

}  // namespace prismvid::qwen3_vl

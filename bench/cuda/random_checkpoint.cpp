#include "bench/cuda/random_checkpoint.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <vector>

#include "core/error.h"
#include "nn/mlx.h"

namespace prismvid::bench {
namespace {

constexpr int kHeadDim = 128;

// Tensors go to files of about a gigabyte, the numbers of each from a seed of its own.
class Writer {
 public:
  Writer(std::filesystem::path folder, int bits) : folder_(std::move(folder)), bits_(bits) {}

  void packed(const std::string& path, const mx::Shape& shape) {
    if (bits_ == 16) return plain(path, shape);
    const auto parts = mx::quantize(values(shape), 64, bits_);
    add(path + ".weight", parts[0]);
    add(path + ".scales", parts[1]);
    add(path + ".biases", parts[2]);
  }
  void plain(const std::string& path, const mx::Shape& shape) {
    add(path + ".weight", values(shape));
  }
  void vector(const std::string& path, int size, float middle) {
    add(path, normal({size}, middle, 0.1f));
  }
  void patches(const std::string& path, int hidden) {
    add(path + ".weight", normal({hidden, 3, 2, 16, 16}, 0, 0.02f));
    vector(path + ".bias", hidden, 0);
  }
  void flush() {
    if (tensors_.empty()) return;
    const std::string file = "model-" + std::to_string(++files_) + ".safetensors";
    mx::save_safetensors((folder_ / file).string(), tensors_);
    tensors_.clear();
    bytes_ = 0;
  }

 private:
  mx::array normal(const mx::Shape& shape, float middle, float size) {
    return mx::astype(
        mx::random::normal(shape, mx::float32, middle, size, mx::random::key(++seed_)),
        mx::bfloat16);
  }
  mx::array values(const mx::Shape& shape) {
    return normal(shape, 0, 1 / std::sqrt(static_cast<float>(shape.back())));
  }
  void add(const std::string& name, mx::array values) {
    values.eval();
    bytes_ += values.nbytes();
    tensors_.emplace(name, values);
    if (bytes_ > (size_t{1} << 30)) flush();
  }

  std::filesystem::path folder_;
  int bits_, files_ = 0;
  uint64_t seed_ = 0;
  size_t bytes_ = 0;
  std::unordered_map<std::string, mx::array> tensors_;
};

nlohmann::json text_config(const CheckpointShape& s) {
  nlohmann::json text = {
      {"model_type", s.experts ? "qwen3_vl_moe_text" : "qwen3_vl_text"},
      {"hidden_size", s.hidden},
      {"intermediate_size", s.inner},
      {"num_hidden_layers", s.layers},
      {"num_attention_heads", s.heads},
      {"num_key_value_heads", s.key_value_heads},
      {"head_dim", kHeadDim},
      {"vocab_size", s.vocabulary},
      {"max_position_embeddings", 262144},
      {"rms_norm_eps", 1e-6},
      {"rope_theta", 5000000.0},
      {"hidden_act", "silu"},
      {"rope_scaling",
       {{"rope_type", "default"}, {"mrope_interleaved", true}, {"mrope_section", {24, 20, 20}}}}};
  if (s.experts)
    text.update({{"num_experts", s.experts},
                 {"num_experts_per_tok", s.experts_per_token},
                 {"moe_intermediate_size", s.inner},
                 {"decoder_sparse_step", 1},
                 {"norm_topk_prob", true}});
  return text;
}

nlohmann::json vision_config(const CheckpointShape& s) {
  return {{"depth", std::max(1, s.vision_depth)},
          {"hidden_size", s.vision_hidden},
          {"intermediate_size", s.vision_inner},
          {"num_heads", 16},
          {"in_channels", 3},
          {"patch_size", 16},
          {"temporal_patch_size", 2},
          {"spatial_merge_size", 2},
          {"out_hidden_size", s.hidden},
          {"num_position_embeddings", 2304},
          {"deepstack_visual_indexes", s.vision_depth == 27   ? std::vector<int>{8, 16, 24}
                                       : s.vision_depth == 24 ? std::vector<int>{5, 11, 17}
                                                              : std::vector<int>{}},
          {"hidden_act", "gelu_pytorch_tanh"}};
}

void write_config(const std::filesystem::path& folder, const CheckpointShape& s, int bits) {
  nlohmann::json config = {{"model_type", s.experts ? "qwen3_vl_moe" : "qwen3_vl"},
                           {"tie_word_embeddings", false},
                           {"image_token_id", 151655},
                           {"video_token_id", 151656},
                           {"vision_start_token_id", 151652},
                           {"vision_end_token_id", 151653},
                           {"text_config", text_config(s)},
                           {"vision_config", vision_config(s)}};
  if (bits < 16) config["quantization"] = {{"group_size", 64}, {"bits", bits}};
  std::ofstream(folder / "config.json") << config.dump();
}

void write_layer(Writer& w, const CheckpointShape& s, const std::string& at) {
  w.vector(at + "input_layernorm.weight", s.hidden, 1);
  w.vector(at + "post_attention_layernorm.weight", s.hidden, 1);
  w.vector(at + "self_attn.q_norm.weight", kHeadDim, 1);
  w.vector(at + "self_attn.k_norm.weight", kHeadDim, 1);
  w.packed(at + "self_attn.q_proj", {s.heads * kHeadDim, s.hidden});
  w.packed(at + "self_attn.k_proj", {s.key_value_heads * kHeadDim, s.hidden});
  w.packed(at + "self_attn.v_proj", {s.key_value_heads * kHeadDim, s.hidden});
  w.packed(at + "self_attn.o_proj", {s.hidden, s.heads * kHeadDim});
  const std::string mlp = at + "mlp." + (s.experts ? "switch_mlp." : "");
  const auto of_all = [&](int rows, int columns) {
    return s.experts ? mx::Shape{s.experts, rows, columns} : mx::Shape{rows, columns};
  };
  if (s.experts) w.packed(at + "mlp.gate", {s.experts, s.hidden});
  w.packed(mlp + "gate_proj", of_all(s.inner, s.hidden));
  w.packed(mlp + "up_proj", of_all(s.inner, s.hidden));
  w.packed(mlp + "down_proj", of_all(s.hidden, s.inner));
}

void write_tower(Writer& w, const CheckpointShape& s) {
  const std::string vision = "model.visual.";
  const auto linear = [&](const std::string& path, int rows, int columns) {
    w.plain(path, {rows, columns});
    w.vector(path + ".bias", rows, 0);
  };
  const auto norm = [&](const std::string& path, int size) {
    w.vector(path + ".weight", size, 1);
    w.vector(path + ".bias", size, 0);
  };
  const int v = s.vision_hidden, joined = 4 * v;
  w.patches(vision + "patch_embed.proj", v);
  w.plain(vision + "pos_embed", {2304, v});
  for (int i = 0; i < s.vision_depth; ++i) {
    const std::string at = vision + "blocks." + std::to_string(i) + ".";
    norm(at + "norm1", v);
    norm(at + "norm2", v);
    linear(at + "attn.qkv", 3 * v, v);
    linear(at + "attn.proj", v, v);
    linear(at + "mlp.linear_fc1", s.vision_inner, v);
    linear(at + "mlp.linear_fc2", v, s.vision_inner);
  }
  const auto merger = [&](const std::string& at, int width) {
    norm(at + "norm", width);
    linear(at + "linear_fc1", joined, joined);
    linear(at + "linear_fc2", s.hidden, joined);
  };
  merger(vision + "merger.", v);
  for (int i = 0; i < 3; ++i)
    merger(vision + "deepstack_merger_list." + std::to_string(i) + ".", joined);
}

}  // namespace

CheckpointShape named_shape(const std::string& name) {
  if (name == "2b") return {2048, 6144, 28, 16, 8, 1024, 4096, 24};
  if (name == "8b") return {4096, 12288, 36, 32, 8, 1152, 4304, 27};
  if (name == "30b-a3b") return {2048, 768, 48, 32, 4, 1152, 4304, 27, 151936, 128, 8};
  fail(ErrorCode::kInvalidArgument, "no shape of the name ", name,
       "; there are 2b, 8b and 30b-a3b");
}

void write_random_checkpoint(const std::filesystem::path& folder, const CheckpointShape& shape,
                             int bits) {
  write_config(folder, shape, bits);
  Writer w(folder, bits);
  const std::string text = "model.language_model.";
  w.packed(text + "embed_tokens", {shape.vocabulary, shape.hidden});
  w.packed("lm_head", {shape.vocabulary, shape.hidden});
  w.vector(text + "norm.weight", shape.hidden, 1);
  for (int i = 0; i < shape.layers; ++i)
    write_layer(w, shape, text + "layers." + std::to_string(i) + ".");
  if (shape.vision_depth > 0) write_tower(w, shape);
  w.flush();
}

qwen3_vl::Sequence random_context(const qwen3_vl::Model& model, const qwen3_vl::Prompt& prompt,
                                  int seed, mx::Dtype dtype) {
  qwen3_vl::Sequence sequence = model.begin(prompt);
  const auto& text = model.config().text;
  const mx::Shape shape = {1, text.key_value_heads, static_cast<int>(prompt.ids.size()),
                           text.head_dim};
  uint64_t key = static_cast<uint64_t>(seed) << 32;
  const auto random = [&] {
    const mx::array values = mx::random::normal(shape, mx::float32, 0, 1, mx::random::key(++key));
    return mx::astype(mx::astype(values, mx::bfloat16), dtype);
  };
  for (nn::KeyValueCache& cache : sequence.caches) {
    const mx::array keys = random();
    cache.append(keys, random());
  }
  return sequence;
}

}  // namespace prismvid::bench

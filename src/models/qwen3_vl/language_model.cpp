#include "models/qwen3_vl/language_model.h"

#include "models/qwen3_vl/positions.h"
#include "nn/attention.h"

namespace prismvid::qwen3_vl {
namespace {

const std::string kRoot = "model.language_model.";

mx::array make_periods(const TextConfig& config) {
  std::vector<float> periods = text_frequencies(config);
  for (float& value : periods) value = 1 / value;
  return mx::array(periods.begin(), {static_cast<int>(periods.size())});
}

std::variant<nn::SwiGlu, nn::MixtureOfExperts> make_mlp(const TextConfig& config,
                                                        nn::Weights& weights, int index) {
  const std::string path = kRoot + "layers." + std::to_string(index) + ".mlp.";
  const int hidden = config.hidden_size;
  if (!config.is_sparse(index))
    return nn::SwiGlu(weights.linear(path + "gate_proj", hidden, config.intermediate_size, false),
                      weights.linear(path + "up_proj", hidden, config.intermediate_size, false),
                      weights.linear(path + "down_proj", config.intermediate_size, hidden, false));
  const ExpertConfig& experts = *config.experts;
  const int count = experts.experts, inner = experts.intermediate_size;
  return nn::MixtureOfExperts(weights.linear(path + "gate", hidden, count, false),
                              weights.experts(path + "switch_mlp.", count, hidden, inner),
                              {experts.experts_per_token, experts.normalize});
}

std::vector<DecoderLayer> make_layers(const TextConfig& config, nn::Weights& weights) {
  std::vector<DecoderLayer> layers;
  for (int i = 0; i < config.layers; ++i) layers.emplace_back(config, weights, i);
  return layers;
}

}  // namespace

TextAttention::TextAttention(const TextConfig& config, nn::Weights& weights,
                             const std::string& path)
    : heads_(config.heads),
      key_value_heads_(config.key_value_heads),
      q_proj_(weights.linear(path + "q_proj", config.hidden_size, config.heads * config.head_dim,
                             false)),
      k_proj_(weights.linear(path + "k_proj", config.hidden_size,
                             config.key_value_heads * config.head_dim, false)),
      v_proj_(weights.linear(path + "v_proj", config.hidden_size,
                             config.key_value_heads * config.head_dim, false)),
      o_proj_(weights.linear(path + "o_proj", config.heads * config.head_dim, config.hidden_size,
                             false)),
      q_norm_(weights.rms_norm(path + "q_norm", config.head_dim, config.rms_norm_epsilon)),
      k_norm_(weights.rms_norm(path + "k_norm", config.head_dim, config.rms_norm_epsilon)),
      periods_(make_periods(config)),
      length_(turned_length(config)),
      kernels_(weights.kernels()) {}

mx::array TextAttention::plus(const mx::array& x, const mx::array& other,
                              const TextPosition& position,
                              const std::vector<LayerPart>& parts) const {
  const auto projected = nn::multiply_each(x, {&q_proj_, &k_proj_, &v_proj_});
  const mx::array queries = turned(projected[0], heads_, q_norm_, position);
  const mx::array keys = turned(projected[1], key_value_heads_, k_norm_, position);
  const mx::array values = nn::split_heads(projected[2], key_value_heads_);
  return o_proj_.plus(attended(queries, keys, values, parts), other);
}

// (1, heads, tokens, head_dim) -> (1, tokens, heads * head_dim), sequence by sequence.
mx::array TextAttention::attended(const mx::array& queries, const mx::array& keys,
                                  const mx::array& values,
                                  const std::vector<LayerPart>& parts) const {
  const auto alone = [&](const mx::array& q, const mx::array& k, const mx::array& v,
                         nn::KeyValueCache& cache) {
    cache.append(k, v);
    return cache.attention(q, kernels_);
  };
  if (parts.size() == 1) return alone(queries, keys, values, *parts[0].cache);
  std::vector<mx::array> rows;
  int start = 0;
  for (const LayerPart& part : parts) {
    const auto of_part = [&](const mx::array& x) {
      return mx::slice(x, {0, 0, start, 0}, {1, x.shape(1), start + part.tokens, x.shape(3)});
    };
    rows.push_back(alone(of_part(queries), of_part(keys), of_part(values), *part.cache));
    start += part.tokens;
  }
  return mx::concatenate(rows, 1);
}

mx::array TextAttention::turned(const mx::array& x, int heads, const nn::RmsNorm& norm,
                                const TextPosition& position) const {
  const auto* rotation = std::get_if<nn::Rotation>(&position);
  if (kernels_ && rotation) return nn::rotated_heads(x, heads, &norm, *rotation, kernels_);
  const mx::array normed = norm(nn::split_heads(x, heads));
  return rotation ? nn::rotate(normed, *rotation)
                  : nn::rotate_consecutive(normed, periods_, std::get<int>(position), length_);
}

DecoderLayer::DecoderLayer(const TextConfig& config, nn::Weights& weights, int index)
    : input_layernorm_(
          weights.rms_norm(kRoot + "layers." + std::to_string(index) + ".input_layernorm",
                           config.hidden_size, config.rms_norm_epsilon)),
      post_attention_layernorm_(
          weights.rms_norm(kRoot + "layers." + std::to_string(index) + ".post_attention_layernorm",
                           config.hidden_size, config.rms_norm_epsilon)),
      self_attn_(config, weights, kRoot + "layers." + std::to_string(index) + ".self_attn."),
      mlp_(make_mlp(config, weights, index)) {}

mx::array DecoderLayer::operator()(const mx::array& x, const TextPosition& position,
                                   const std::vector<LayerPart>& parts) const {
  const mx::array h = self_attn_.plus(input_layernorm_(x), x, position, parts);
  return std::visit([&](const auto& mlp) { return mlp.plus(post_attention_layernorm_(h), h); },
                    mlp_);
}

LanguageModel::LanguageModel(const TextConfig& config, bool tied_head, nn::Weights& weights)
    : embed_tokens_(weights.embedding(kRoot + "embed_tokens", config.vocabulary, config.hidden_size,
                                      tied_head)),
      layers_(make_layers(config, weights)),
      norm_(weights.rms_norm(kRoot + "norm", config.hidden_size, config.rms_norm_epsilon)),
      frequencies_(text_frequencies(config)),
      length_(turned_length(config)),
      kernels_(weights.kernels()) {
  if (!tied_head)
    lm_head_ = weights.linear("lm_head", config.hidden_size, config.vocabulary, false);
}

mx::array LanguageModel::forward(const mx::array& embeddings, const TextPosition& position,
                                 const std::vector<mx::array>& deepstack,
                                 const std::vector<SequencePart>& parts, const Trace& trace) const {
  mx::array h = mx::expand_dims(embeddings, 0);
  const TextPosition turns = for_kernels(position, h.shape(1));
  for (size_t i = 0; i < layers_.size(); ++i) {
    std::vector<LayerPart> layer;
    for (const SequencePart& part : parts) layer.push_back({&(*part.caches)[i], part.tokens});
    h = layers_[i](h, turns, layer);
    if (i < deepstack.size()) h = h + mx::expand_dims(deepstack[i], 0);
    report(trace, "layer_" + std::to_string(i), h);
  }
  return norm_(h);
}

// The kernels take turns, worked out once for all layers.
TextPosition LanguageModel::for_kernels(const TextPosition& position, int tokens) const {
  const int* offset = std::get_if<int>(&position);
  if (!kernels_ || !offset) return position;
  std::vector<float> angles;
  for (int i = 0; i < tokens; ++i)
    for (const float frequency : frequencies_)
      angles.push_back(static_cast<float>(*offset + i) * frequency);
  return nn::rotation_of(mx::array(angles.begin(), {tokens, static_cast<int>(frequencies_.size())}),
                         length_);
}

mx::array LanguageModel::logits(const mx::array& hidden) const {
  const auto head = lm_head_ ? lm_head_->kernel_matrix() : embed_tokens_.kernel_matrix();
  // What is there already, as hidden states of a step on the CPU, needs no graph.
  if (head && hidden.status() == mx::array::Status::available && hidden.flags().row_contiguous)
    return nn::multiply_at_once(hidden, *head, mx::float32);
  return lm_head_ ? lm_head_->in_float32(hidden) : embed_tokens_.as_linear(hidden);
}

}  // namespace prismvid::qwen3_vl

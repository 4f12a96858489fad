#include "models/qwen3_vl/cpu_step.h"

#include <cmath>

#include "models/qwen3_vl/positions.h"
#include "nn/kernels/cached_attention.h"
#include "nn/kernels/owned_rows.h"

namespace prismvid::qwen3_vl {
namespace {

using nn::kernels::CachedPart;
using nn::kernels::NormWeights;
using nn::kernels::NumberType;
using nn::kernels::OwnedRows;
using nn::kernels::read;
using nn::kernels::Rows;

NormWeights weights_of(const nn::RmsNorm& norm) {
  const mx::array& weight = norm.weight();
  return {weight.data<void>(), nullptr, nn::number_type(weight.dtype()).value(), norm.epsilon()};
}

/// Cosines and sines of each token's turns.
class TurnTable {
 public:
  TurnTable(const std::vector<int>& positions, const TextConfig& config)
      : width_(static_cast<size_t>(config.head_dim) / 2) {
    const std::vector<float> frequencies = text_frequencies(config);
    const float length = turned_length(config);
    for (const int position : positions)
      for (const float frequency : frequencies) {
        const float angle = static_cast<float>(position) * frequency;
        cos_.push_back(std::cos(angle) * length);
        sin_.push_back(std::sin(angle) * length);
      }
  }
  nn::kernels::Turns turns() const { return {cos_.data(), sin_.data(), width_}; }

 private:
  size_t width_;
  std::vector<float> cos_, sin_;
};

/// The tokens of one step on their way through the layers.
class Step {
 public:
  Step(const LanguageModel& model, const TextConfig& config, NumberType type,
       const std::vector<int>& positions, const std::vector<SequencePart>& parts)
      : model_(model),
        config_(config),
        parts_(parts),
        context_(model.kernels()->context()),
        turns_(positions, config),
        type_(type),
        hidden_(NumberType::kFloat32, static_cast<int>(positions.size()), config.hidden_size),
        normed_(made(config.hidden_size, positions)),
        projected_(made((config.heads + 2 * config.key_value_heads) * config.head_dim, positions)),
        attended_(made(config.heads * config.head_dim, positions)),
        inner_(made(config.intermediate_size, positions)) {}

  /// Hidden states ahead of the first layer, float32, to be filled in before run().
  const Rows& hidden() const { return hidden_.rows(); }

  void run(mx::array& output) {
    for (int i = 0; i < model_.layers(); ++i) {
      attend(model_.layer(i), i);
      feed_forward(model_.layer(i));
    }
    for (const SequencePart& part : parts_)
      for (nn::KeyValueCache& cache : *part.caches) cache.advance(part.tokens);
    normalize(context_, read(hidden_.rows()), weights_of(model_.last_norm()),
              nn::writable_rows_of(output));
  }

 private:
  OwnedRows made(int columns, const std::vector<int>& positions) const {
    return OwnedRows(type_, static_cast<int>(positions.size()), columns);
  }

  void normalize_hidden(const nn::RmsNorm& norm) const {
    normalize(context_, read(hidden_.rows()), weights_of(norm), normed_.rows());
  }

  void attend(const DecoderLayer& layer, int index) const {
    const TextAttention& attention = layer.attention();
    normalize_hidden(layer.input_norm());
    const nn::SharedMatrix matrices[] = {attention.q_proj().kernel_matrix(),
                                         attention.k_proj().kernel_matrix(),
                                         attention.v_proj().kernel_matrix()};
    nn::multiply_together(matrices, read(normed_.rows()), projected_.rows());
    std::vector<CachedPart> parts;
    for (const SequencePart& part : parts_) {
      nn::KeyValueCache& cache = (*part.caches)[index];
      parts.push_back({part.tokens, cache.keys_with(part.tokens), cache.values_with(part.tokens)});
    }
    attend_cached(context_,
                  {projected_.rows(), config_.heads, weights_of(attention.q_norm()),
                   weights_of(attention.k_norm()), turns_.turns(), parts,
                   1.0f / std::sqrt(static_cast<float>(config_.head_dim))},
                  attended_.rows());
    add_product(*attention.o_proj().kernel_matrix(), attended_);
  }

  void feed_forward(const DecoderLayer& layer) const {
    normalize_hidden(layer.output_norm());
    if (const nn::SwiGlu* mlp = layer.dense()) {
      nn::multiply_gated(*mlp->gate().kernel_matrix(), *mlp->up().kernel_matrix(),
                         read(normed_.rows()), inner_.rows());
      add_product(*mlp->down().kernel_matrix(), inner_);
    } else {
      layer.experts()->run(read(normed_.rows()), read(hidden_.rows()), hidden_.rows());
    }
  }

  void add_product(const nn::KernelMatrix& matrix, const OwnedRows& input) const {
    const auto before = read(hidden_.rows());
    matrix.multiply(read(input.rows()), hidden_.rows(), &before);
  }

  const LanguageModel& model_;
  const TextConfig& config_;
  const std::vector<SequencePart>& parts_;
  nn::kernels::Context context_;
  TurnTable turns_;
  NumberType type_;
  OwnedRows hidden_, normed_, projected_, attended_, inner_;
};

bool has_kernels(const DecoderLayer& layer) {
  const TextAttention& attention = layer.attention();
  for (const nn::Linear* linear :
       {&attention.q_proj(), &attention.k_proj(), &attention.v_proj(), &attention.o_proj()})
    if (!linear->kernel_matrix()) return false;
  if (!layer.dense()) return layer.experts()->has_kernels();
  for (const nn::Linear* linear :
       {&layer.dense()->gate(), &layer.dense()->up(), &layer.dense()->down()})
    if (!linear->kernel_matrix()) return false;
  return true;
}

}  // namespace

bool can_step_on_cpu(const LanguageModel& model) {
  if (!model.kernels() || !nn::number_type(model.last_norm().weight().dtype())) return false;
  for (int i = 0; i < model.layers(); ++i)
    if (!has_kernels(model.layer(i))) return false;
  return true;
}

mx::array step_on_cpu(const LanguageModel& model, const TextConfig& config,
                      const std::vector<int>& ids, const std::vector<int>& positions,
                      const std::vector<SequencePart>& parts) {
  for (const SequencePart& part : parts)
    for (nn::KeyValueCache& cache : *part.caches) cache.reserve(cache.size() + part.tokens);
  const int tokens = static_cast<int>(ids.size());
  const mx::Dtype dtype = model.last_norm().weight().dtype();
  Step step(model, config, nn::number_type(dtype).value(), positions, parts);
  model.embed_tokens().look_up(ids, step.hidden());
  mx::array hidden = nn::uninitialized_array({1, tokens, config.hidden_size}, dtype);
  step.run(hidden);
  return hidden;
}

}  // namespace prismvid::qwen3_vl

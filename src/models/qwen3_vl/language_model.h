#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/trace.h"
#include "nn/embedding.h"
#include "nn/experts.h"
#include "nn/key_value_cache.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/rotary.h"
#include "nn/swiglu.h"
#include "nn/weights.h"

namespace prismvid::qwen3_vl {

/// Where tokens stand: each turned on its own, or one after the other from an offset (all of them
/// text).
using TextPosition = std::variant<nn::Rotation, int>;

/// So many of the tokens that go through a layer together belong to the sequence of this cache.
struct LayerPart {
  nn::KeyValueCache* cache = nullptr;
  int tokens = 0;
};

/// The same through all layers.
struct SequencePart {
  std::vector<nn::KeyValueCache>* caches = nullptr;  // one for each layer
  int tokens = 0;
};

class TextAttention {
 public:
  TextAttention(const TextConfig& config, nn::Weights& weights, const std::string& path);
  /// The result plus `other` (the same shape). Tokens see those of their own part only.
  mx::array plus(const mx::array& x, const mx::array& other, const TextPosition& position,
                 const std::vector<LayerPart>& parts) const;

  const nn::Linear& q_proj() const { return q_proj_; }
  const nn::Linear& k_proj() const { return k_proj_; }
  const nn::Linear& v_proj() const { return v_proj_; }
  const nn::Linear& o_proj() const { return o_proj_; }
  const nn::RmsNorm& q_norm() const { return q_norm_; }
  const nn::RmsNorm& k_norm() const { return k_norm_; }

 private:
  mx::array turned(const mx::array& x, int heads, const nn::RmsNorm& norm,
                   const TextPosition& position) const;
  mx::array attended(const mx::array& queries, const mx::array& keys, const mx::array& values,
                     const std::vector<LayerPart>& parts) const;

  int heads_, key_value_heads_;
  nn::Linear q_proj_, k_proj_, v_proj_, o_proj_;
  nn::RmsNorm q_norm_, k_norm_;
  mx::array periods_;  // 1 / frequency
  float length_ = 1;   // of turned queries and keys, as YaRN
  nn::SharedKernels kernels_;
};

class DecoderLayer {
 public:
  DecoderLayer(const TextConfig& config, nn::Weights& weights, int index);
  mx::array operator()(const mx::array& x, const TextPosition& position,
                       const std::vector<LayerPart>& parts) const;

  const nn::RmsNorm& input_norm() const { return input_layernorm_; }
  const nn::RmsNorm& output_norm() const { return post_attention_layernorm_; }
  const TextAttention& attention() const { return self_attn_; }
  /// Null for a mixture of experts.
  const nn::SwiGlu* dense() const { return std::get_if<nn::SwiGlu>(&mlp_); }
  /// Null for a dense layer.
  const nn::MixtureOfExperts* experts() const { return std::get_if<nn::MixtureOfExperts>(&mlp_); }

 private:
  nn::RmsNorm input_layernorm_, post_attention_layernorm_;
  TextAttention self_attn_;
  std::variant<nn::SwiGlu, nn::MixtureOfExperts> mlp_;
};

/// The text decoder, dense or mixture of experts. Immutable; the state of a sequence is its caches.
class LanguageModel {
 public:
  LanguageModel(const TextConfig& config, bool tied_head, nn::Weights& weights);

  /// (tokens) -> (tokens, hidden), in float32 on the CPU kernels: what layers add up stays so.
  mx::array embed(const mx::array& ids) const {
    return kernels_ ? embed_tokens_.in_float32(ids) : embed_tokens_(ids);
  }

  /// Hidden states behind the last norm, (1, tokens, hidden). The tokens are those of `parts`, one
  /// part behind the other. `deepstack[l]` (tokens, hidden) is added after layer l.
  mx::array forward(const mx::array& embeddings, const TextPosition& position,
                    const std::vector<mx::array>& deepstack, const std::vector<SequencePart>& parts,
                    const Trace& trace = {}) const;

  /// (..., hidden) -> (..., vocabulary), float32
  mx::array logits(const mx::array& hidden) const;

  int layers() const { return static_cast<int>(layers_.size()); }
  const DecoderLayer& layer(int index) const { return layers_[index]; }
  const nn::RmsNorm& last_norm() const { return norm_; }
  const nn::SharedKernels& kernels() const { return kernels_; }
  const nn::Embedding& embed_tokens() const { return embed_tokens_; }
  const nn::Matrix* embedding() const { return embed_tokens_.plain_matrix(); }
  /// The matrix that makes the logits; null where the CPU kernels multiply.
  const nn::Matrix* head() const {
    return lm_head_ ? lm_head_->plain_matrix() : embed_tokens_.plain_matrix();
  }

 private:
  TextPosition for_kernels(const TextPosition& position, int tokens) const;

  nn::Embedding embed_tokens_;
  std::vector<DecoderLayer> layers_;
  nn::RmsNorm norm_;
  std::optional<nn::Linear> lm_head_;  // absent: tied
  std::vector<float> frequencies_;
  float length_ = 1;  // of turned queries and keys, as YaRN
  nn::SharedKernels kernels_;
};

}  // namespace prismvid::qwen3_vl

#pragma once

#include <string>
#include <vector>

#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/patches.h"
#include "models/qwen3_vl/trace.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/rotary.h"
#include "nn/weights.h"

namespace prismvid::qwen3_vl {

/// Vectors of visual tokens, (tokens, hidden) each: what stands in the prompt, and what is added to
/// the first layers.
struct VisionFeatures {
  mx::array embeddings;
  std::vector<mx::array> deepstack;
};

class VisionAttention {
 public:
  VisionAttention(const VisionConfig& config, nn::Weights& weights, const std::string& path);
  /// x (groups, patches, hidden): patches see only those of their own group. The result plus
  /// `other`.
  mx::array plus(const mx::array& x, const mx::array& other, const nn::Rotation& rotation) const;

 private:
  mx::array turned(const mx::array& x, const nn::Rotation& rotation) const;

  int heads_;
  nn::Linear qkv_, proj_;
  nn::SharedKernels kernels_;
};

class VisionBlock {
 public:
  VisionBlock(const VisionConfig& config, nn::Weights& weights, const std::string& path);
  mx::array operator()(const mx::array& x, const nn::Rotation& rotation) const;

 private:
  nn::LayerNorm norm1_, norm2_;
  VisionAttention attn_;
  nn::Linear linear_fc1_, linear_fc2_;
  nn::SharedKernels kernels_;
};

/// Joins 2 by 2 patches to one token of the text's width. Deepstack mergers normalise the joined
/// vector, the last one each patch.
class PatchMerger {
 public:
  enum class NormOf { kPatch, kJoined };
  PatchMerger(const VisionConfig& config, nn::Weights& weights, const std::string& path,
              NormOf norm_of);
  /// (groups, patches, hidden) -> (groups * patches / 4, out_hidden)
  mx::array operator()(const mx::array& x) const;

 private:
  int joined_;
  NormOf norm_of_;
  nn::LayerNorm norm_;
  nn::Linear linear_fc1_, linear_fc2_;
  nn::SharedKernels kernels_;
};

/// The vision transformer of Qwen3-VL. Frames pairs ("groups") do not see each other, so any number
/// of equal groups can be encoded together or apart. Immutable; as thread-safe as MLX.
class VisionTower {
 public:
  VisionTower(const VisionConfig& config, nn::Weights& weights);

  VisionFeatures operator()(const PatchRows& rows, const Trace& trace = {}) const;

 private:
  mx::array position_embeddings(const Grid& grid) const;  // (patches of a group, hidden), float32
  nn::Rotation rotation(const Grid& grid) const;

  VisionConfig config_;
  nn::Linear patch_embed_;
  mx::array pos_embed_;
  std::vector<VisionBlock> blocks_;
  PatchMerger merger_;
  std::vector<PatchMerger> deepstack_merger_list_;
  nn::SharedKernels kernels_;
};

}  // namespace prismvid::qwen3_vl

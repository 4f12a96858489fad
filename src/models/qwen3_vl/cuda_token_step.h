#pragma once

#include <map>
#include <memory>
#include <vector>

#include "models/qwen3_vl/cuda_layers.h"
#include "nn/cuda/driver.h"

namespace prismvid::qwen3_vl {

/// All layers of a step of one sequence as one kernel, with the memory through which its blocks
/// hand on what they make (cuda::kUnwritten).
class CudaTokenStep {
 public:
  /// What a step reads and writes beside that.
  struct Memory {
    const float2* turns = nullptr;             // (kHeadDim / 2)
    const cuda::LayerCache* caches = nullptr;  // (layers)
    const int* lengths = nullptr;              // (1)
    float* attention_partial = nullptr;
    uint32_t* attention_arrived = nullptr;
    float* logits = nullptr;  // (vocabulary)
  };
  /// Null where the kernel does not have what the layers need, or their weights no `tiles`. All but
  /// `memory` must outlive this.
  static std::unique_ptr<CudaTokenStep> make(const TextConfig& config,
                                             const std::vector<CudaLayer>& layers,
                                             const PackedMatrix& head, const cuda::bf16* last_norm,
                                             const cuda::WeightTiles& tiles, const Memory& memory);

  /// Where the token's vector is written before, behind clear().
  cuda::bf16* input() const { return activations(0).input; }
  void clear(CUstream stream) const;
  /// Whether it makes the logits too; else they are to be made of output().
  bool has_head() const { return has_head_; }
  const cuda::bf16* output() const { return activations(layers_.size()).input; }

  /// Makes the step's arguments ready; not while a stream records a graph.
  void prepare(int splits);
  void start(int splits, CUstream stream) const;

 private:
  struct Widths {
    size_t input, projected, attended, middle, gated;
    size_t sum() const { return input + projected + attended + middle + gated; }
  };
  struct Activations {
    cuda::bf16 *input, *projected, *attended, *middle, *gated;
  };

  CudaTokenStep(const TextConfig& config, const std::vector<CudaLayer>& layers,
                const PackedMatrix& head, const cuda::bf16* last_norm,
                const cuda::WeightTiles& tiles, const Memory& memory);
  Activations activations(size_t layer) const;
  int used_splits(int splits) const;
  int widest() const;
  std::vector<cuda::StepStage> stages(int splits) const;
  cuda::StepStage projection(size_t layer, int splits) const;

  const TextConfig& config_;
  const std::vector<CudaLayer>& layers_;
  const PackedMatrix& head_;
  const cuda::bf16* last_norm_;
  bool has_head_;
  const cuda::WeightTiles& tiles_;
  Memory memory_;
  Widths widths_;
  int blocks_ = 0;
  cuda::DeviceBuffer activations_;
  std::map<int, cuda::DeviceBuffer> stages_;  // by splits
};

}  // namespace prismvid::qwen3_vl

#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "models/qwen3_vl/language_model.h"
#include "nn/cuda/experts.h"
#include "nn/cuda/weight_tiles.h"

// The weights of a text decoder as the CUDA kernels read them. Inside the CUDA build only.
namespace prismvid::qwen3_vl {

struct PackedMatrix {
  cuda::ProductMatrix matrix;
  int bits = 16, group = 64, rows = 0, columns = 0;
};

/// Whether one kernel can multiply both.
inline bool alike(const PackedMatrix& a, const PackedMatrix& b) {
  return a.bits == b.bits && a.group == b.group && a.columns == b.columns;
}

/// y = x matrix^T for one token.
cuda::ProductArguments product_arguments(const PackedMatrix& matrix, const cuda::bf16* x, void* y);

struct CudaSwiGlu {
  PackedMatrix gate, up, down;
};

struct CudaExperts {
  PackedMatrix router;
  cuda::ProductMatrix gate, up, down;  // of all experts
  cuda::ExpertPacking packing;
  bool normalize = true;  // the shares of the chosen sum to 1
};

struct CudaLayer {
  PackedMatrix q, k, v, o;
  std::variant<CudaSwiGlu, CudaExperts> mlp;
  const cuda::bf16 *input_norm, *output_norm, *query_norm, *key_norm;
};

struct CudaWeights {
  std::vector<CudaLayer> layers;
  PackedMatrix embedding, head;
  const cuda::bf16* last_norm = nullptr;
};

/// Whether queries, keys and values are one product, and that product.
bool joins_projections(const CudaLayer& layer);
cuda::ProductArguments projection_product(const CudaLayer& layer, const cuda::bf16* x, void* y);
/// silu(x gate^T) * (x up^T) for one token.
cuda::ProductArguments gated_product(const CudaSwiGlu& mlp, const cuda::bf16* x, void* y);

/// Every product of a token's step but those of experts, to be arranged.
cuda::WeightTiles token_products(const CudaWeights& weights);

/// nullopt where the kernels do not have what the model needs. The arrays of `model` must outlive
/// this.
std::optional<CudaWeights> cuda_weights(const LanguageModel& model, const TextConfig& config);

}  // namespace prismvid::qwen3_vl

#include "models/qwen3_vl/cuda_layers.h"

#include <algorithm>

#include "nn/cuda/device_array.h"
#include "nn/cuda/product.h"

namespace prismvid::qwen3_vl {
namespace {

using namespace prismvid::cuda;

bool dense_bf16(const mx::array& array) {
  return array.dtype() == mx::bfloat16 && array.flags().row_contiguous;
}

// Of a matrix, or of the matrices of all experts one below the other; nullopt for what the kernels
// do not have.
std::optional<PackedMatrix> packed(const nn::Matrix& m) {
  if (!m.weight.flags().row_contiguous) return std::nullopt;
  PackedMatrix result;
  result.rows = m.weight.shape(-2);
  result.matrix.weight = static_cast<const uint32_t*>(device_data(m.weight));
  if (!m.is_quantized()) {
    result.columns = m.weight.shape(-1);
    if (m.weight.dtype() != mx::bfloat16) return std::nullopt;
  } else {
    if (m.quantization.mode != "affine" || !dense_bf16(*m.scales) || !dense_bf16(*m.biases))
      return std::nullopt;
    result.bits = m.quantization.bits, result.group = m.quantization.group_size;
    result.columns = m.scales->shape(-1) * result.group;
    result.matrix.scales = static_cast<const bf16*>(device_data(*m.scales));
    result.matrix.biases = static_cast<const bf16*>(device_data(*m.biases));
  }
  if (!has_product(result.bits, result.group, result.columns)) return std::nullopt;
  return result;
}
std::optional<PackedMatrix> packed(const nn::Matrix* m) {
  return m ? packed(*m) : std::nullopt;
}

std::optional<CudaSwiGlu> dense_mlp(const nn::SwiGlu& from) {
  const auto gate = packed(from.gate().plain_matrix()), up = packed(from.up().plain_matrix()),
             down = packed(from.down().plain_matrix());
  if (!gate || !up || !down || !alike(*gate, *up) || gate->rows % 8 != 0) return std::nullopt;
  return CudaSwiGlu{*gate, *up, *down};
}

std::optional<CudaExperts> expert_mlp(const nn::MixtureOfExperts& from) {
  const nn::ExpertWeights* weights = from.plain_weights();
  if (!weights) return std::nullopt;
  const auto router = packed(from.router().plain_matrix()), gate = packed(weights->gate),
             up = packed(weights->up), down = packed(weights->down);
  if (!router || !gate || !up || !down || !alike(*gate, *up)) return std::nullopt;
  const ExpertPacking packing{gate->bits, gate->group,  gate->columns,
                              gate->rows, router->rows, from.options().experts_per_token};
  if (down->bits != gate->bits || down->group != gate->group || !has_experts(packing))
    return std::nullopt;
  return CudaExperts{*router,      gate->matrix, up->matrix,
                     down->matrix, packing,      from.options().normalize};
}

std::optional<std::variant<CudaSwiGlu, CudaExperts>> mlp_of(const DecoderLayer& layer) {
  if (layer.dense()) return dense_mlp(*layer.dense());
  return expert_mlp(*layer.experts());
}

}  // namespace

ProductArguments product_arguments(const PackedMatrix& matrix, const bf16* x, void* y) {
  ProductArguments a{};
  a.matrices[0] = matrix.matrix;
  a.rows = a.stride = a.first_row[1] = a.first_row[2] = matrix.rows;
  a.join = Join::kBelow;
  a.group = matrix.group;
  a.columns = matrix.columns;
  a.x = x;
  a.y = y;
  a.tokens = a.slices = 1;
  return a;
}

bool joins_projections(const CudaLayer& layer) {
  return alike(layer.q, layer.k) && alike(layer.q, layer.v) && layer.q.rows % 128 == 0 &&
         layer.k.rows % 128 == 0;
}

ProductArguments projection_product(const CudaLayer& layer, const bf16* x, void* y) {
  ProductArguments a = product_arguments(layer.q, x, y);
  a.matrices[1] = layer.k.matrix, a.matrices[2] = layer.v.matrix;
  a.first_row[1] = layer.q.rows, a.first_row[2] = layer.q.rows + layer.k.rows;
  a.rows = a.stride = layer.q.rows + layer.k.rows + layer.v.rows;
  a.norm = layer.input_norm;
  return a;
}

ProductArguments gated_product(const CudaSwiGlu& mlp, const bf16* x, void* y) {
  ProductArguments a = product_arguments(mlp.gate, x, y);
  a.matrices[1] = mlp.up.matrix;
  a.join = Join::kGated;
  return a;
}

WeightTiles token_products(const CudaWeights& weights) {
  WeightTiles tiles;
  const auto add = [&](const PackedMatrix& matrix) {
    tiles.add(matrix.bits, product_arguments(matrix, nullptr, nullptr));
  };
  for (const CudaLayer& layer : weights.layers) {
    if (joins_projections(layer))
      tiles.add(layer.q.bits, projection_product(layer, nullptr, nullptr));
    else
      for (const PackedMatrix* matrix : {&layer.q, &layer.k, &layer.v}) add(*matrix);
    add(layer.o);
    if (const auto* mlp = std::get_if<CudaSwiGlu>(&layer.mlp)) {
      tiles.add(mlp->gate.bits, gated_product(*mlp, nullptr, nullptr));
      add(mlp->down);
    } else {
      add(std::get<CudaExperts>(layer.mlp).router);
    }
  }
  add(weights.head);
  return tiles;
}

std::optional<CudaWeights> cuda_weights(const LanguageModel& model, const TextConfig& config) {
  const auto embedding = packed(model.embedding()), head = packed(model.head());
  const int shared = config.heads / std::max(1, config.key_value_heads);
  if (!embedding || !head || config.head_dim != kHeadDim || shared > kMostRows) return std::nullopt;
  std::vector<CudaLayer> layers;
  for (int i = 0; i < model.layers(); ++i) {
    const DecoderLayer& from = model.layer(i);
    const TextAttention& attention = from.attention();
    const auto q = packed(attention.q_proj().plain_matrix()),
               k = packed(attention.k_proj().plain_matrix()),
               v = packed(attention.v_proj().plain_matrix()),
               o = packed(attention.o_proj().plain_matrix());
    const auto mlp = mlp_of(from);
    if (!q || !k || !v || !o || !mlp) return std::nullopt;
    const nn::RmsNorm* norms[] = {&from.input_norm(), &from.output_norm(), &attention.q_norm(),
                                  &attention.k_norm()};
    const bf16* weights[4];
    for (int n = 0; n < 4; ++n) {
      if (!dense_bf16(norms[n]->weight())) return std::nullopt;
      weights[n] = static_cast<const bf16*>(device_data(norms[n]->weight()));
    }
    layers.push_back({*q, *k, *v, *o, *mlp, weights[0], weights[1], weights[2], weights[3]});
  }
  if (!dense_bf16(model.last_norm().weight())) return std::nullopt;
  return CudaWeights{std::move(layers), *embedding, *head,
                     static_cast<const bf16*>(device_data(model.last_norm().weight()))};
}

}  // namespace prismvid::qwen3_vl

#include "models/qwen3_vl/cuda_token_step.h"

#include <algorithm>
#include <cmath>

#include "nn/cuda/product.h"

namespace prismvid::qwen3_vl {
namespace {

using namespace prismvid::cuda;

const CudaSwiGlu& mlp_of(const CudaLayer& layer) {
  return std::get<CudaSwiGlu>(layer.mlp);
}

std::vector<const PackedMatrix*> matrices(const CudaLayer& layer) {
  const CudaSwiGlu& mlp = mlp_of(layer);
  return {&layer.q, &layer.k, &layer.v, &layer.o, &mlp.gate, &mlp.up, &mlp.down};
}

// The products of a layer have so many row tiles or more.
int fewest_row_tiles(const CudaLayer& layer) {
  const int rows = std::min({layer.q.rows + layer.k.rows + layer.v.rows, layer.o.rows,
                             2 * mlp_of(layer).gate.rows, mlp_of(layer).down.rows});
  return (rows + 15) / 16;
}

}  // namespace

std::unique_ptr<CudaTokenStep> CudaTokenStep::make(const TextConfig& config,
                                                   const std::vector<CudaLayer>& layers,
                                                   const PackedMatrix& head, const bf16* last_norm,
                                                   const WeightTiles& tiles, const Memory& memory) {
  const PackedMatrix& first = layers[0].q;
  if (!tiles.of(product_arguments(first, nullptr, nullptr))) return nullptr;
  for (const CudaLayer& layer : layers) {
    if (!std::holds_alternative<CudaSwiGlu>(layer.mlp)) return nullptr;
    for (const PackedMatrix* matrix : matrices(layer))
      if (matrix->bits != first.bits || matrix->group != first.group) return nullptr;
    if (!joins_projections(layer)) return nullptr;
  }
  std::unique_ptr<CudaTokenStep> step(
      new CudaTokenStep(config, layers, head, last_norm, tiles, memory));
  return has_step(first.bits, first.group, step->widest()) ? std::move(step) : nullptr;
}

CudaTokenStep::CudaTokenStep(const TextConfig& config, const std::vector<CudaLayer>& layers,
                             const PackedMatrix& head, const bf16* last_norm,
                             const WeightTiles& tiles, const Memory& memory)
    : config_(config),
      layers_(layers),
      head_(head),
      last_norm_(last_norm),
      has_head_(alike(head, layers[0].q)),
      tiles_(tiles),
      memory_(memory) {
  const size_t heads = static_cast<size_t>(config.heads),
               hidden = static_cast<size_t>(config.hidden_size);
  widths_ = {hidden, (heads + 2 * config.key_value_heads) * kHeadDim, heads * kHeadDim, hidden,
             static_cast<size_t>(mlp_of(layers[0]).gate.rows)};
  activations_ = DeviceBuffer(2 * widths_.sum() * sizeof(bf16));
  blocks_ = Kernels::instance().multiprocessors();
  for (const CudaLayer& layer : layers) blocks_ = std::min(blocks_, fewest_row_tiles(layer));
}

void CudaTokenStep::clear(CUstream stream) const {
  check_driver(cuMemsetD32Async(activations_.address(), kUnwritten,
                                2 * widths_.sum() * sizeof(bf16) / sizeof(uint32_t), stream),
               "clearing memory on the device");
}

// Even layers have theirs and odd layers, so that those of the layer before can become unwritten
// again meanwhile.
CudaTokenStep::Activations CudaTokenStep::activations(size_t layer) const {
  bf16* at = activations_.as<bf16>() + layer % 2 * widths_.sum();
  const auto take = [&](size_t width) { return std::exchange(at, at + width); };
  Activations a{};
  a.input = take(widths_.input), a.projected = take(widths_.projected);
  a.attended = take(widths_.attended), a.middle = take(widths_.middle);
  a.gated = take(widths_.gated);
  return a;
}

// Each part of the attention has a block.
int CudaTokenStep::used_splits(int splits) const {
  while (splits > 1 && splits * config_.key_value_heads > blocks_) splits /= 2;
  return splits;
}

int CudaTokenStep::widest() const {
  int columns = 0;
  for (const PackedMatrix* matrix : matrices(layers_[0]))
    columns = std::max(columns, matrix->columns);
  return columns;
}

void CudaTokenStep::prepare(int splits) {
  DeviceBuffer& buffer = stages_[splits];
  if (buffer.address()) return;
  const std::vector<StepStage> all = stages(used_splits(splits));
  buffer = DeviceBuffer(all.size() * sizeof(StepStage));
  check_driver(cuMemcpyHtoD(buffer.address(), all.data(), all.size() * sizeof(StepStage)),
               "writing a step's arguments");
}

void CudaTokenStep::start(int splits, CUstream stream) const {
  const PackedMatrix& first = layers_[0].q;
  StepArguments a{};
  a.stages = stages_.at(splits).as<StepStage>();
  a.count = static_cast<int>(4 * layers_.size()) + has_head_;
  a.columns = widest();
  start_step(first.bits, first.group, blocks_, a, stream);
}

StepStage CudaTokenStep::projection(size_t index, int splits) const {
  const CudaLayer& layer = layers_[index];
  const Activations own = activations(index);
  StepStage stage{};
  ProductArguments& a = stage.product;
  a = projection_product(layer, own.input, own.projected);
  a.tiles = tiles_.of(a);
  a.epsilon = config_.rms_norm_epsilon;
  a.x_tells = index > 0;  // the embedding is another kernel, which is waited for
  if (index > 0) {
    a.clear = reinterpret_cast<uint4*>(activations(index - 1).input);
    a.clear_count = static_cast<int>(widths_.sum() * sizeof(bf16) / sizeof(uint4));
  }
  AttentionArguments& t = stage.attention;
  t.projected = own.projected;
  t.query_norm = layer.query_norm, t.key_norm = layer.key_norm;
  t.turns = memory_.turns, t.caches = memory_.caches + index, t.lengths = memory_.lengths;
  t.out = own.attended;
  t.partial = memory_.attention_partial, t.arrived = memory_.attention_arrived;
  t.key_heads = config_.key_value_heads, t.rows = config_.heads / config_.key_value_heads;
  t.splits = splits;
  t.scale = 1 / std::sqrt(static_cast<float>(kHeadDim));
  t.epsilon = config_.rms_norm_epsilon;
  return stage;
}

std::vector<StepStage> CudaTokenStep::stages(int splits) const {
  std::vector<StepStage> all;
  const auto add = [&](ProductArguments& a) {
    a.tiles = tiles_.of(a);
    a.epsilon = config_.rms_norm_epsilon;
    a.x_tells = 1;
    all.push_back({a, {}});
  };
  for (size_t i = 0; i < layers_.size(); ++i) {
    const CudaLayer& layer = layers_[i];
    const CudaSwiGlu& mlp = mlp_of(layer);
    const Activations own = activations(i);
    all.push_back(projection(i, splits));
    ProductArguments o = product_arguments(layer.o, own.attended, own.middle);
    o.residual = own.input;
    add(o);
    ProductArguments gate = gated_product(mlp, own.middle, own.gated);
    gate.norm = layer.output_norm;
    add(gate);
    ProductArguments down = product_arguments(mlp.down, own.gated, activations(i + 1).input);
    down.residual = own.middle;
    add(down);
  }
  if (has_head_) {
    ProductArguments a = product_arguments(head_, output(), memory_.logits);
    a.norm = last_norm_;
    a.float_output = 1;
    add(a);
  }
  return all;
}

}  // namespace prismvid::qwen3_vl

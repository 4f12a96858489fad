#include "models/qwen3_vl/vision_tower.h"

#include <algorithm>
#include <cmath>

#include "nn/activation.h"
#include "nn/attention.h"
#include "nn/embedding.h"

namespace prismvid::qwen3_vl {
namespace {

constexpr float kLayerNormEpsilon = 1e-6f;
const std::string kRoot = "model.visual.";

// Calls visit(row, column) for each patch of a group, in the order of its rows: block by block.
template <typename Visit>
void for_each_patch(const Grid& grid, int merge, const Visit& visit) {
  for (int y = 0; y < grid.h; y += merge)
    for (int x = 0; x < grid.w; x += merge)
      for (int inner = 0; inner < merge * merge; ++inner)
        visit(y + inner / merge, x + inner % merge);
}

// Where coordinate i of n lies on the learned grid of `side` points, corners on corners.
struct GridPoint {
  int floor = 0;
  int ceil = 0;
  float fraction = 0;
};

GridPoint grid_point(int i, int n, int side) {
  const float at =
      n == 1 ? 0.0f
             : static_cast<float>(i) * (static_cast<float>(side - 1) / static_cast<float>(n - 1));
  const int floor = std::min(static_cast<int>(at), side - 1);
  return {floor, std::min(floor + 1, side - 1), at - static_cast<float>(floor)};
}

// (t, patches of a group, values), float32. A device looks the levels up itself: a quarter of the
// bytes go there.
mx::array pixel_values(const PatchRows& rows, int row_values) {
  const Grid& grid = rows.grid;
  const mx::Shape shape{grid.t, grid.h * grid.w, row_values};
  if (mx::default_device() == mx::Device::cpu) return mx::array(rows.values().begin(), shape);
  const mx::array levels(rows.levels.begin(), {grid.patches(), 3, row_values / 3}, mx::uint8);
  const mx::array places = mx::astype(levels, mx::int32) + mx::array({0, 256, 512}, {3, 1});
  const mx::array table(rows.table.values.begin(), {static_cast<int>(rows.table.values.size())});
  return mx::reshape(mx::take(table, places), shape);
}

std::vector<VisionBlock> make_blocks(const VisionConfig& config, nn::Weights& weights) {
  std::vector<VisionBlock> blocks;
  for (int i = 0; i < config.depth; ++i)
    blocks.emplace_back(config, weights, kRoot + "blocks." + std::to_string(i) + ".");
  return blocks;
}

std::vector<PatchMerger> make_deepstack(const VisionConfig& config, nn::Weights& weights) {
  std::vector<PatchMerger> mergers;
  for (size_t i = 0; i < config.deepstack_indexes.size(); ++i)
    mergers.emplace_back(config, weights,
                         kRoot + "deepstack_merger_list." + std::to_string(i) + ".",
                         PatchMerger::NormOf::kJoined);
  return mergers;
}

}  // namespace

VisionAttention::VisionAttention(const VisionConfig& config, nn::Weights& weights,
                                 const std::string& path)
    : heads_(config.heads),
      qkv_(weights.linear(path + "qkv", config.hidden_size, 3 * config.hidden_size, true)),
      proj_(weights.linear(path + "proj", config.hidden_size, config.hidden_size, true)),
      kernels_(weights.kernels()) {}

mx::array VisionAttention::plus(const mx::array& x, const mx::array& other,
                                const nn::Rotation& rotation) const {
  const auto qkv = mx::split(qkv_(x), 3, -1);
  return proj_.plus(nn::attention(turned(qkv[0], rotation), turned(qkv[1], rotation),
                                  nn::split_heads(qkv[2], heads_), nn::Mask::kNone, kernels_),
                    other);
}

mx::array VisionAttention::turned(const mx::array& x, const nn::Rotation& rotation) const {
  return kernels_ ? nn::rotated_heads(x, heads_, nullptr, rotation, kernels_)
                  : nn::rotate(nn::split_heads(x, heads_), rotation);
}

VisionBlock::VisionBlock(const VisionConfig& config, nn::Weights& weights, const std::string& path)
    : norm1_(weights.layer_norm(path + "norm1", config.hidden_size, kLayerNormEpsilon)),
      norm2_(weights.layer_norm(path + "norm2", config.hidden_size, kLayerNormEpsilon)),
      attn_(config, weights, path + "attn."),
      linear_fc1_(weights.linear(path + "mlp.linear_fc1", config.hidden_size,
                                 config.intermediate_size, true)),
      linear_fc2_(weights.linear(path + "mlp.linear_fc2", config.intermediate_size,
                                 config.hidden_size, true)),
      kernels_(weights.kernels()) {}

mx::array VisionBlock::operator()(const mx::array& x, const nn::Rotation& rotation) const {
  const mx::array h = attn_.plus(norm1_(x), x, rotation);
  return linear_fc2_.plus(nn::gelu_tanh(linear_fc1_(norm2_(h)), kernels_), h);
}

PatchMerger::PatchMerger(const VisionConfig& config, nn::Weights& weights, const std::string& path,
                         NormOf norm_of)
    : joined_(config.hidden_size * config.spatial_merge_size * config.spatial_merge_size),
      norm_of_(norm_of),
      norm_(weights.layer_norm(path + "norm",
                               norm_of == NormOf::kJoined ? joined_ : config.hidden_size,
                               kLayerNormEpsilon)),
      linear_fc1_(weights.linear(path + "linear_fc1", joined_, joined_, true)),
      linear_fc2_(weights.linear(path + "linear_fc2", joined_, config.out_hidden_size, true)),
      kernels_(weights.kernels()) {}

mx::array PatchMerger::operator()(const mx::array& x) const {
  const auto join = [&](const mx::array& patches) { return mx::reshape(patches, {-1, joined_}); };
  const mx::array joined = norm_of_ == NormOf::kJoined ? norm_(join(x)) : join(norm_(x));
  return linear_fc2_(nn::gelu(linear_fc1_(joined), kernels_));
}

VisionTower::VisionTower(const VisionConfig& config, nn::Weights& weights)
    : config_(config),
      patch_embed_(weights.linear(kRoot + "patch_embed.proj", config.patch_values(),
                                  config.hidden_size, true)),
      pos_embed_(nn::dequantized(
          weights.matrix(kRoot + "pos_embed", {config.position_embeddings, config.hidden_size}))),
      blocks_(make_blocks(config, weights)),
      merger_(config, weights, kRoot + "merger.", PatchMerger::NormOf::kPatch),
      deepstack_merger_list_(make_deepstack(config, weights)),
      kernels_(weights.kernels()) {}

VisionFeatures VisionTower::operator()(const PatchRows& rows, const Trace& trace) const {
  const Grid& grid = rows.grid;
  const mx::Dtype dtype = pos_embed_.dtype();
  const mx::array pixels = mx::astype(pixel_values(rows, config_.patch_values()), dtype);
  // What blocks add up stays in float32 on the CPU kernels.
  mx::array h = kernels_ ? patch_embed_.in_float32(pixels) : patch_embed_(pixels);
  report(trace, "patch_embed", h);
  h = h + mx::astype(position_embeddings(grid), h.dtype());
  report(trace, "positioned", h);
  const nn::Rotation turn = rotation(grid);

  VisionFeatures features{h, {}};
  for (int i = 0; i < config_.depth; ++i) {
    h = blocks_[i](h, turn);
    if (i == 0) report(trace, "block_0", h);
    const size_t taken = features.deepstack.size();
    if (taken < config_.deepstack_indexes.size() && config_.deepstack_indexes[taken] == i) {
      features.deepstack.push_back(deepstack_merger_list_[taken](h));
      report(trace, "deepstack_" + std::to_string(taken), features.deepstack.back());
    }
  }
  features.embeddings = merger_(h);
  report(trace, "merger", features.embeddings);
  return features;
}

// Bilinear between the four nearest learned positions, in float32, as transformers 5.
mx::array VisionTower::position_embeddings(const Grid& grid) const {
  const int side = static_cast<int>(std::lround(std::sqrt(config_.position_embeddings)));
  const int patches = grid.h * grid.w;
  std::vector<int> indices;
  std::vector<float> shares;
  for_each_patch(grid, config_.spatial_merge_size, [&](int row, int column) {
    const GridPoint y = grid_point(row, grid.h, side), x = grid_point(column, grid.w, side);
    for (const auto& [at_y, share_y] : {std::pair{y.floor, 1 - y.fraction}, {y.ceil, y.fraction}})
      for (const auto& [at_x, share_x] :
           {std::pair{x.floor, 1 - x.fraction}, {x.ceil, x.fraction}}) {
        indices.push_back(at_y * side + at_x);
        shares.push_back(share_y * share_x);
      }
  });
  const mx::array corners = mx::take(pos_embed_, mx::array(indices.begin(), {patches, 4}), 0);
  const mx::array weights = mx::array(shares.begin(), {patches, 4, 1});
  return mx::sum(mx::astype(corners, mx::float32) * weights, 1);
}

// Rows turn the first half of the frequencies, columns the second.
nn::Rotation VisionTower::rotation(const Grid& grid) const {
  const int head_dim = config_.hidden_size / config_.heads, quarter = head_dim / 4;
  std::vector<float> frequencies(quarter);
  for (int j = 0; j < quarter; ++j)
    frequencies[j] =
        1.0f / std::pow(10000.0f, static_cast<float>(4 * j) / static_cast<float>(head_dim));
  std::vector<float> angles;
  for_each_patch(grid, config_.spatial_merge_size, [&](int row, int column) {
    for (const float f : frequencies) angles.push_back(static_cast<float>(row) * f);
    for (const float f : frequencies) angles.push_back(static_cast<float>(column) * f);
  });
  return nn::rotation_of(mx::array(angles.begin(), {grid.h * grid.w, head_dim / 2}));
}

}  // namespace prismvid::qwen3_vl

#include "nn/kernels/linear_rounds.h"

#include <algorithm>
#include <vector>

#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

// Enough tasks that a thread which loses its core for a while does not hold up the others.
constexpr int kTasksPerThread = 16;
constexpr int kMostBlocks = 16;

void prepare_round(const Context& context, const ConstRows& input, int group_size,
                   void (*prepare)(const PrepareArguments&), std::uint8_t* prepared) {
  const std::size_t tile_bytes = prepared_bytes(kMaxTile, input.columns, group_size);
  const int tiles = (input.rows + kMaxTile - 1) / kMaxTile;
  context.pool.parallel_for(tiles, [&](int tile) {
    const int first = tile * kMaxTile;
    prepare({.input = at_row(input, first),
             .input_type = input.type,
             .input_stride = input.stride,
             .tokens = std::min(kMaxTile, input.rows - first),
             .columns = input.columns,
             .group_size = group_size,
             .prepared = prepared + tile * tile_bytes});
  });
}

}  // namespace

void run_linear(const Context& context, const ConstRows& input, const Rows& output, int group_size,
                void (*prepare)(const PrepareArguments&),
                const std::function<void(const LinearTask&)>& multiply) {
  const int tiles = (std::min(input.rows, kMaxTokens) + kMaxTile - 1) / kMaxTile;
  // 64 spare bytes: vector loads of the last scales may read beyond them.
  std::vector<std::uint8_t> prepared(tiles * prepared_bytes(kMaxTile, input.columns, group_size) +
                                     64);
  const int blocks = (output.columns + kBlockRows - 1) / kBlockRows;
  const int per_task =
      std::clamp(blocks / (context.pool.threads() * kTasksPerThread), 1, kMostBlocks);
  for (int first = 0; first < input.rows; first += kMaxTokens) {
    const int tokens = std::min(kMaxTokens, input.rows - first);
    prepare_round(context, slice(input, first, tokens), group_size, prepare, prepared.data());
    const Rows out = slice(output, first, tokens);
    context.pool.parallel_for((blocks + per_task - 1) / per_task, [&](int task) {
      multiply({task * per_task, std::min((task + 1) * per_task, blocks), prepared.data(), out});
    });
  }
}

}  // namespace prismvid::nn::kernels

#include "nn/kernels/linear_rounds.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

// Enough tasks that a thread which loses its core for a while does not hold up the others.
constexpr int kTasksPerThread = 16;
constexpr int kMostBlocks = 16;

// Below so many multiplications (some microseconds) waking another thread costs more than it
// brings.
constexpr std::size_t kWorthSharing = std::size_t{1} << 18;

void run(ThreadPool* pool, int count, const std::function<void(int)>& task) {
  if (pool != nullptr) return pool->parallel_for(count, task);
  for (int i = 0; i < count; ++i) task(i);
}

void prepare_round(ThreadPool* pool, const ConstRows& input, int group_size,
                   void (*prepare)(const PrepareArguments&), std::uint8_t* prepared) {
  const std::size_t tile_bytes = prepared_bytes(kMaxTile, input.columns, group_size);
  const int tiles = (input.rows + kMaxTile - 1) / kMaxTile;
  run(pool, tiles, [&](int tile) {
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

void run_linear(const Context& context, const ConstRows& input, const ConstRows* addend,
                const Rows& output, int group_size, void (*prepare)(const PrepareArguments&),
                const std::function<void(const LinearTask&)>& multiply) {
  check(addend == nullptr || (addend->rows == output.rows && addend->columns == output.columns),
        ErrorCode::kInvalidArgument, "linear: what is added must have the output's shape");
  // Rounds of nearly the same length: a short one would make little of the weights it unpacks.
  const int rounds = (input.rows + kMaxTokens - 1) / kMaxTokens;
  const int tiles = (input.rows + kMaxTile - 1) / kMaxTile;
  const int together = (tiles + rounds - 1) / rounds * kMaxTile;
  const int most = std::min(input.rows, together), last_tile = (most - 1) % kMaxTile + 1;
  // 64 spare bytes: vector loads of the last scales may read beyond them.
  const std::size_t bytes =
      (most - last_tile) / kMaxTile * prepared_bytes(kMaxTile, input.columns, group_size) +
      prepared_bytes(last_tile, input.columns, group_size) + 64;
  const auto prepared = std::make_unique_for_overwrite<std::uint8_t[]>(bytes);
  const bool is_shared = std::size_t(input.rows) * input.columns * output.columns >= kWorthSharing;
  ThreadPool* const pool = is_shared ? &context.pool : nullptr;
  const int blocks = (output.columns + kBlockRows - 1) / kBlockRows;
  const int per_task =
      std::clamp(blocks / (context.pool.threads() * kTasksPerThread), 1, kMostBlocks);
  for (int first = 0; first < input.rows; first += together) {
    const int tokens = std::min(together, input.rows - first);
    prepare_round(pool, slice(input, first, tokens), group_size, prepare, prepared.get());
    const Rows out = slice(output, first, tokens);
    const Addend added = addend ? Addend{at_row(*addend, first), addend->type, addend->stride}
                                : Addend{nullptr, NumberType::kFloat32, 0};
    run(pool, (blocks + per_task - 1) / per_task, [&](int task) {
      multiply(
          {task * per_task, std::min((task + 1) * per_task, blocks), prepared.get(), added, out});
    });
  }
}

}  // namespace prismvid::nn::kernels

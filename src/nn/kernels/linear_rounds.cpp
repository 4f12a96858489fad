#include "nn/kernels/linear_rounds.h"

#include <algorithm>

#include "core/error.h"
#include "nn/kernels/aligned_memory.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

// Below so many multiplications (some microseconds) waking another thread costs more than it
// brings.
constexpr std::size_t kWorthSharing = std::size_t{1} << 18;

void run(ThreadPool* pool, int count, const std::function<void(int)>& task) {
  if (pool != nullptr) return pool->parallel_for(count, task);
  for (int i = 0; i < count; ++i) task(i);
}

void prepare_round(ThreadPool* pool, const ConstRows& input, int group_size, const Prepare& prepare,
                   std::uint8_t* prepared) {
  const std::size_t tile_bytes = prepared_bytes(prepare.tile, input.columns, group_size);
  const int tiles = (input.rows + prepare.tile - 1) / prepare.tile;
  run(pool, tiles, [&](int tile) {
    const int first = tile * prepare.tile;
    prepare.run({.input = at_row(input, first),
                 .input_type = input.type,
                 .input_stride = input.stride,
                 .tokens = std::min(prepare.tile, input.rows - first),
                 .columns = input.columns,
                 .group_size = group_size,
                 .prepared = prepared + tile * tile_bytes});
  });
}

}  // namespace

void check_fits(const char* what, int rows, int columns, const ConstRows& input,
                const Rows& output) {
  check(input.columns == columns && output.columns == rows && input.rows == output.rows,
        ErrorCode::kInvalidArgument, what, ": input ", input.rows, " x ", input.columns,
        " and output ", output.rows, " x ", output.columns, " do not fit a matrix of ", rows, " x ",
        columns);
}

int blocks_per_task(int blocks, int threads, int tasks_per_thread) {
  constexpr int kMost = 16;
  return std::clamp(blocks / (threads * tasks_per_thread), 1, kMost);
}

void run_linear(const Context& context, const ConstRows& input, const ConstRows* addend,
                const Rows& output, int group_size, const Prepare& prepare,
                const std::function<void(const LinearTask&)>& multiply) {
  check(addend == nullptr || (addend->rows == output.rows && addend->columns == output.columns),
        ErrorCode::kInvalidArgument, "linear: what is added must have the output's shape");
  // Rounds of nearly the same length: a short one would make little of the weights it unpacks.
  const int tile = prepare.tile, tiles = (input.rows + tile - 1) / tile;
  const int rounds = (tiles - 1) / (kMaxTokens / tile) + 1;
  const int together = (tiles + rounds - 1) / rounds * tile;
  const int most = std::min(input.rows, together), last_tile = (most - 1) % tile + 1;
  // 64 spare bytes: vector loads of the last scales may read beyond them.
  const std::size_t bytes =
      (most - last_tile) / tile * prepared_bytes(tile, input.columns, group_size) +
      prepared_bytes(last_tile, input.columns, group_size) + 64;
  const Scratch prepared = allocate_scratch(bytes);
  const bool is_shared = std::size_t(input.rows) * input.columns * output.columns >= kWorthSharing;
  ThreadPool* const pool = is_shared ? &context.pool : nullptr;
  const int blocks = (output.columns + kBlockRows - 1) / kBlockRows;
  const int per_task = blocks_per_task(blocks, context.pool.threads(), prepare.tasks_per_thread);
  for (int first = 0; first < input.rows; first += together) {
    const int tokens = std::min(together, input.rows - first);
    prepare_round(pool, slice(input, first, tokens), group_size, prepare, prepared.get());
    const Rows out = slice(output, first, tokens);
    const Addend added =
        addend ? Addend{at_row(*addend, first), addend->type, addend->stride} : kNoAddend;
    run(pool, (blocks + per_task - 1) / per_task, [&](int task) {
      multiply(
          {task * per_task, std::min((task + 1) * per_task, blocks), prepared.get(), added, out});
    });
  }
}

}  // namespace prismvid::nn::kernels

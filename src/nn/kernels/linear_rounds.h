#pragma once

#include <cstdint>
#include <functional>

#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// Some blocks of a matrix times up to kMaxTokens prepared tokens.
struct LinearTask {
  int first_block, last_block;
  const std::uint8_t* prepared;
  Addend addend;
  Rows output;
};

template <class Matrix>
LinearArguments<Matrix> arguments_of(const Matrix& matrix, const float* bias,
                                     const LinearTask& task) {
  return {.matrix = matrix,
          .bias = bias,
          .addend = task.addend,
          .first_block = task.first_block,
          .last_block = task.last_block,
          .prepared = task.prepared,
          .tokens = task.output.rows,
          .output = task.output.data,
          .output_type = task.output.type,
          .output_stride = task.output.stride};
}

constexpr Addend kNoAddend = {nullptr, NumberType::kFloat32, 0};

/// Throws kInvalidArgument unless (tokens, columns) and (tokens, rows) fit a matrix; `what` names
/// the product.
void check_fits(const char* what, int rows, int columns, const ConstRows& input,
                const Rows& output);

/// Blocks of rows of each of the tasks that share `blocks` of them.
int blocks_per_task(int blocks, int threads, int tasks_per_thread);

/// Divides a product into rounds of up to kMaxTokens tokens, makes each round's activations ready
/// with `prepare`, and calls `multiply` for all blocks of 16 rows on all threads. `addend`: of the
/// output's shape, or null.
void run_linear(const Context& context, const ConstRows& input, const ConstRows* addend,
                const Rows& output, int group_size, const Prepare& prepare,
                const std::function<void(const LinearTask&)>& multiply);

}  // namespace prismvid::nn::kernels

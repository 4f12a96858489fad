#include "nn/kernels/elementwise.h"

#include <algorithm>

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

// So many numbers take longer than waking a thread.
constexpr int kNumbersPerTask = 8192;

/// Calls work(first, last) for parts of `rows` rows of `columns` numbers.
template <typename Work>
void for_rows(ThreadPool& pool, int rows, int columns, const Work& work) {
  const int together = std::max(1, kNumbersPerTask / columns);
  const int tasks = (rows + together - 1) / together;
  if (tasks == 1) return work(0, rows);
  pool.parallel_for(
      tasks, [&](int task) { work(task * together, std::min(rows, (task + 1) * together)); });
}

}  // namespace

void normalize(const Context& context, const ConstRows& input, const NormWeights& weights,
               const Rows& output) {
  check(input.rows == output.rows && input.columns == output.columns, ErrorCode::kInvalidArgument,
        "norm: output must have the input's shape");
  for_rows(context.pool, input.rows, input.columns, [&](int first, int last) {
    for (int row = first; row < last; ++row)
      context.table.normalize({.input = at_row(input, row),
                               .input_type = input.type,
                               .weight = weights.weight,
                               .bias = weights.bias,
                               .weight_type = weights.type,
                               .columns = input.columns,
                               .epsilon = weights.epsilon,
                               .output = at_row(output, row),
                               .output_type = output.type});
  });
}

void rotate_heads(const Context& context, const ConstRows& input, const NormWeights* norm,
                  const Turns& turns, const Heads& output) {
  check(input.rows == output.tokens && input.columns == output.heads * output.head_dim &&
            input.type == output.type && output.head_dim % 2 == 0 && output.head_dim <= kMaxHeadDim,
        ErrorCode::kInvalidArgument, "rotary position: rows of ", input.columns, " do not make ",
        output.heads, " heads of ", output.head_dim);
  for_rows(context.pool, input.rows, input.columns, [&](int first, int last) {
    for (int row = first; row < last; ++row)
      context.table.rotate({.input = at_row(input, row),
                            .type = input.type,
                            .heads = output.heads,
                            .head_dim = output.head_dim,
                            .weight = norm ? norm->weight : nullptr,
                            .weight_type = norm ? norm->type : NumberType::kFloat32,
                            .epsilon = norm ? norm->epsilon : 0,
                            .cos = turns.cos + row * turns.stride,
                            .sin = turns.sin + row * turns.stride,
                            .output = static_cast<char*>(output.data) +
                                      row * output.token_stride * byte_size(output.type),
                            .output_head_stride = output.head_stride});
  });
}

void activate(const Context& context, Activation activation, const ConstRows& input,
              const ConstRows* up, const Rows& output) {
  check((up != nullptr) == (activation == Activation::kSwiGlu), ErrorCode::kInvalidArgument,
        "activation: SwiGLU alone takes a second input");
  const auto function = context.table.activate[static_cast<int>(activation)];
  for_rows(context.pool, input.rows, input.columns, [&](int first, int last) {
    for (int row = first; row < last; ++row)
      function({.input = at_row(input, row),
                .up = up ? at_row(*up, row) : nullptr,
                .type = input.type,
                .count = input.columns,
                .output = at_row(output, row)});
  });
}

}  // namespace prismvid::nn::kernels

#include "nn/kernels/gated_linear.h"

#include <algorithm>

#include "core/error.h"
#include "nn/kernels/linear_rounds.h"
#include "nn/kernels/owned_rows.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

/// The rows of a task's blocks times its tokens.
void multiply(const LinearKernels& kernels, const PackedMatrix& matrix, const LinearTask& task,
              const Rows& output) {
  PackedBlocks part = matrix.packed_blocks();
  part.data += task.first_block * part.block_bytes;
  part.rows = output.columns;
  const float* bias = matrix.bias();
  kernels.multiply(arguments_of(part, bias ? bias + task.first_block * kBlockRows : nullptr,
                                {.first_block = 0,
                                 .last_block = task.last_block - task.first_block,
                                 .prepared = task.prepared,
                                 .addend = kNoAddend,
                                 .output = output}));
}

/// Both products of some columns and what becomes of them, while they are in a cache.
void run_task(const Context& context, const LinearKernels& kernels, const PackedMatrix& gate,
              const PackedMatrix& up, const LinearTask& task) {
  const int first = task.first_block * kBlockRows,
            count = std::min(task.last_block * kBlockRows, gate.rows()) - first;
  const Rows outputs = columns(task.output, first, count);
  const OwnedRows gates(outputs.type, outputs.rows, count), ups(outputs.type, outputs.rows, count);
  multiply(kernels, gate, task, gates.rows());
  multiply(kernels, up, task, ups.rows());
  for (int row = 0; row < outputs.rows; ++row)
    context.table.activate[static_cast<int>(Activation::kSwiGlu)](
        {.input = at_row(gates.rows(), row),
         .up = at_row(ups.rows(), row),
         .type = outputs.type,
         .count = count,
         .output = at_row(outputs, row)});
}

}  // namespace

void gated_linear(const Context& context, const PackedMatrix& gate, const PackedMatrix& up,
                  const ConstRows& input, const Rows& output, Precision precision) {
  check(gate.rows() == up.rows() && gate.columns() == up.columns() &&
            gate.group_size() == up.group_size() && input.columns == gate.columns() &&
            output.columns == gate.rows() && input.rows == output.rows,
        ErrorCode::kInvalidArgument, "gated linear: input ", input.rows, " x ", input.columns,
        " and output ", output.rows, " x ", output.columns, " do not fit matrices of ", gate.rows(),
        " x ", gate.columns(), " and ", up.rows(), " x ", up.columns());
  const LinearKernels kernels = linear_kernels(context.table, precision, input.type, input.rows,
                                               std::max(gate.bits(), up.bits()));
  run_linear(context, input, nullptr, output, gate.group_size(), kernels.prepare,
             [&](const LinearTask& task) { run_task(context, kernels, gate, up, task); });
}

}  // namespace prismvid::nn::kernels

#pragma once

#include "nn/kernels/context.h"
#include "nn/kernels/packed_matrix.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// output (tokens, matrix rows) = silu(input gate^T) * (input up^T), with both products rounded to
/// the output's type first. Throws kInvalidArgument for matrices of different sizes or groups, and
/// when the sizes disagree.
void gated_linear(const Context& context, const PackedMatrix& gate, const PackedMatrix& up,
                  const ConstRows& input, const Rows& output, Precision precision);

}  // namespace prismvid::nn::kernels

#pragma once

#include "nn/kernels/context.h"
#include "nn/kernels/packed_matrix.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// output (tokens, matrix rows) = input (tokens, matrix columns) times the matrix transposed.
/// `addend` (tokens, matrix rows) is added before the results are rounded; null: nothing is.
/// A NaN or an infinity in a token's input makes non-finite output for that token.
/// Throws kInvalidArgument when the sizes disagree.
void quantized_linear(const Context& context, const PackedMatrix& matrix, const ConstRows& input,
                      const Rows& output, Precision precision, const ConstRows* addend = nullptr);

}  // namespace prismvid::nn::kernels

#pragma once

#include <span>

#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// output (tokens, matrix rows) = input (tokens, columns) times a packed matrix transposed.
struct Product {
  PackedBlocks matrix;  // its rows may be fewer than its blocks hold
  const float* bias;    // rows rounded up to 16, or null
  ConstRows input;
  Rows output;
};

/// All products at once, in two forks however many there are; equal inputs are made ready once.
/// Throws kInvalidArgument when the sizes of one disagree.
void multiply_all(const Context& context, std::span<const Product> products, Precision precision);

}  // namespace prismvid::nn::kernels

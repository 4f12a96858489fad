#pragma once

#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// The matrices of all experts, one expert's rows after the other's, each a multiple of 16.
struct ExpertMatrices {
  PackedBlocks gate;  // (experts * inner, width)
  PackedBlocks up;    // as gate
  PackedBlocks down;  // (experts * width, inner)
  int experts;
};

struct ExpertChoice {
  int per_token;
  bool normalize;  // the chosen probabilities sum to 1
};

/// output = addend + sum over the likeliest experts of probability * down(silu(gate(x)) * up(x)),
/// with the softmax of `scores` (tokens, experts) as probabilities. Each chosen expert's weights
/// are read once for all of its tokens. NaN scores make NaN output.
void experts(const Context& context, const ExpertMatrices& matrices, ExpertChoice choice,
             const ConstRows& input, const ConstRows& scores, const ConstRows& addend,
             const Rows& output, Precision precision);

}  // namespace prismvid::nn::kernels

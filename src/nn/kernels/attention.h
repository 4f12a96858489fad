#pragma once

#include "nn/kernels/context.h"

namespace prismvid::nn::kernels {

/// Vectors of `head_dim` adjacent numbers for each head and token; borrowed. Strides in numbers.
struct ConstHeads {
  const void* data;
  NumberType type;
  int heads;
  int tokens;
  int head_dim;
  std::size_t head_stride;
  std::size_t token_stride;
};

struct Heads {
  void* data;
  NumberType type;
  int heads;
  int tokens;
  int head_dim;
  std::size_t head_stride;
  std::size_t token_stride;
};

struct AttentionInputs {
  ConstHeads queries;
  ConstHeads keys;    // heads divide those of the queries
  ConstHeads values;  // as keys
  float scale;
  bool causal;  // the last query sees all keys, each before it one less
};

/// output = softmax(scale q k^T) v, with the shape of the queries and all of one number type. The
/// softmax runs along the keys (arXiv:2205.14135): no (queries, keys) matrix is made. bf16 is
/// multiplied as bf16 where the processor does, with probabilities rounded to bf16; sums are f32.
/// What is not finite in a query stays in its row; in a key or value it may also reach rows that
/// do not see it, up to kQueriesTogether before.
/// Throws kInvalidArgument for sizes that disagree, odd head sizes and those above kMaxHeadDim.
void attention(const Context& context, const AttentionInputs& inputs, const Heads& output);

}  // namespace prismvid::nn::kernels

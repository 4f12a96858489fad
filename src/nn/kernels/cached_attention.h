#pragma once

#include <span>

#include "nn/kernels/attention.h"
#include "nn/kernels/elementwise.h"

namespace prismvid::nn::kernels {

/// Tokens of one sequence and its keys and values, which have room for theirs at the end.
struct CachedPart {
  int tokens;
  Heads keys, values;  // of all tokens, those included
};

/// One layer's attention of few tokens of several sequences.
struct CachedAttention {
  Rows projected;  // (tokens of all parts, (heads + 2 key heads) * head_dim): queries, keys, values
  int heads;       // of the queries, a multiple of those of the keys
  NormWeights query_norm, key_norm;  // (head_dim)
  Turns turns;                       // of all tokens
  std::span<const CachedPart> parts;
  float scale;
};

/// Norms and turns queries and keys, puts keys and values behind those of their part, and attends
/// causally to all of the part: output (tokens, heads * head_dim). Queries are turned where they
/// lie. Each number comes out as rotate_heads() and attention() make it.
/// Throws kInvalidArgument for sizes or number types that disagree.
void attend_cached(const Context& context, const CachedAttention& work, const Rows& output);

}  // namespace prismvid::nn::kernels

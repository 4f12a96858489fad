#pragma once

#include "nn/kernels/attention.h"
#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

struct NormWeights {
  const void* weight;  // (columns)
  const void* bias;    // (columns) for layer norm; null: root mean square
  NumberType type;     // of both
  float epsilon;
};

/// Norm of each row (arXiv:1910.07467, arXiv:1607.06450), in f32, rounded once to the
/// type of the output.
void normalize(const Context& context, const ConstRows& input, const NormWeights& weights,
               const Rows& output);

struct Turns {
  const float* cos;  // (tokens, stride), of which head_dim / 2 are read
  const float* sin;
  std::size_t stride;
};

/// Rotary position (arXiv:2104.09864) of the heads of each row (tokens, heads * head_dim), each
/// behind its root mean square norm where `norm` is given.
void rotate_heads(const Context& context, const ConstRows& input, const NormWeights* norm,
                  const Turns& turns, const Heads& output);

/// The activation of every number; `up` as `input` for kSwiGlu, else null. Output and inputs may be
/// the same.
void activate(const Context& context, Activation activation, const ConstRows& input,
              const ConstRows* up, const Rows& output);

}  // namespace prismvid::nn::kernels

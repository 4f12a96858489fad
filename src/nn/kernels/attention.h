#pragma once

#include <type_traits>

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

/// Where a token's vector of a head lies.
template <typename View>
auto* at(const View& view, int head, int token) {
  using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(view.data)>>,
                                  const char, char>;
  return static_cast<Byte*>(view.data) +
         (head * view.head_stride + token * view.token_stride) * byte_size(view.type);
}

struct AttentionInputs {
  ConstHeads queries;
  ConstHeads keys;    // heads divide those of the queries
  ConstHeads values;  // as keys
  float scale;
  bool causal;  // the last query sees all keys, each before it one less
  Precision precision = Precision::kFull;
};

/// The same where each vector lies in groups of adjacent numbers with a scale and a bias, see
/// QuantizedRows. Strides in words, and in scales.
struct ConstQuantizedHeads {
  QuantizedRows rows;  // of the first head
  int heads;
  int tokens;
  int head_dim;
  std::size_t word_head_stride, scale_head_stride;
};

struct QuantizedAttentionInputs {
  ConstHeads queries;
  ConstQuantizedHeads keys;    // heads divide those of the queries
  ConstQuantizedHeads values;  // as keys
  float scale;
  bool causal;  // as below
};

/// output = softmax(scale q k^T) v, with the shape of the queries and all of one number type. The
/// softmax runs along the keys (arXiv:2205.14135): no (queries, keys) matrix is made. bf16 is
/// multiplied as bf16 where the processor does, with probabilities rounded to bf16; sums are f32.
/// What is not finite in a query stays in its row; in a key or value it may also reach rows that
/// do not see it, up to kQueriesTogether before. With kInt8, where a level has a form for it
/// and keys are more than kKeysTogether, queries and keys of half precision are rounded to bytes,
/// each with a scale of its own, shares and values to 13 and 12 bits; what is not finite in a value
/// may then reach kKeysTogether rows more. Throws kInvalidArgument for sizes that disagree, odd
/// head sizes and those above kMaxHeadDim.
void attention(const Context& context, const AttentionInputs& inputs, const Heads& output);

/// The same for the heads [head, head + count), which share keys and values, on the calling thread:
/// keys are read where they lie.
void attend_heads(const Context& context, const AttentionInputs& inputs, int head, int count,
                  const Heads& output);

/// The same with quantised keys and values. They become plain numbers a few keys at a time, or one
/// head at a time where many queries share the work. Head sizes are multiples of the group.
void quantized_attention(const Context& context, const QuantizedAttentionInputs& inputs,
                         const Heads& output);

}  // namespace prismvid::nn::kernels

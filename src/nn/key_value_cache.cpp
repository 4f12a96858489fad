#include "nn/key_value_cache.h"

#include "core/error.h"
#include "nn/attention.h"
#include "nn/quantized_attention.h"

namespace prismvid::nn {
namespace {

constexpr int kStep = 256;
#ifdef PRISMVID_CUDA
constexpr bool kPlansShapes = true;  // cuDNN takes 40 ms for each new one
#else
constexpr bool kPlansShapes = false;
#endif

// Tokens [begin, end) of a buffer (1, heads, room, width).
mx::array part(const mx::array& buffer, int begin, int end) {
  return mx::slice(buffer, {0, 0, begin, 0}, {1, buffer.shape(1), end, buffer.shape(3)});
}

mx::array space(const mx::array& like, int tokens) {
  return mx::zeros({1, like.shape(1), tokens, like.shape(3)}, like.dtype());
}

int rounded_up(int tokens) {
  return (tokens + kStep - 1) / kStep * kStep;
}

// With `more` queries of zeros behind; they lie in memory as split_heads() leaves them.
mx::array with_more_queries(const mx::array& queries, int more) {
  const mx::array rows = mx::transpose(queries, {0, 2, 1, 3});
  return mx::transpose(mx::pad(rows, {1}, mx::Shape{0}, mx::Shape{more}), {0, 2, 1, 3});
}

}  // namespace

KeyValueFormat KeyValueFormat::of(int bits, int head_dim) {
  check(bits == 16 || bits == 8 || bits == 4, ErrorCode::kInvalidArgument,
        "keys and values are kept in 16, 8 or 4 bits, not ", bits);
  check(bits == 16 || head_dim % 32 == 0, ErrorCode::kInvalidArgument, "keys and values in ", bits,
        " bits need heads of 32, 64, 96 ... channels, this model has ", head_dim,
        ": keep them in 16 bits");
  return {bits, head_dim % 64 == 0 ? 64 : 32};
}

uint64_t KeyValueFormat::head_bytes(int head_dim, uint64_t number_bytes) const {
  const auto channels = static_cast<uint64_t>(head_dim);
  if (!is_quantized()) return channels * number_bytes;
  return channels * static_cast<uint64_t>(bits) / 8 +
         channels / static_cast<uint64_t>(group_size) * 2 * number_bytes;
}

void KeyValueCache::append(const mx::array& keys, const mx::array& values) {
  if (!format_.is_quantized()) return append_kept({keys, values});
  std::vector<mx::array> kept;
  for (const mx::array& numbers : {keys, values})
    for (mx::array& array : mx::quantize(numbers, format_.group_size, format_.bits))
      kept.push_back(std::move(array));
  append_kept(kept);
}

void KeyValueCache::append_kept(const std::vector<mx::array>& arrays) {
  const int end = size_ + arrays.at(0).shape(2);
  const int room = buffers_.empty() ? 0 : buffers_[0].shape(2);
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (room == 0) buffers_.push_back(space(arrays[i], rounded_up(std::max(end, expected_))));
    mx::array& buffer = buffers_[i];
    if (room > 0 && end > room)
      buffer = mx::concatenate({buffer, space(buffer, rounded_up(end) - room)}, 2);
    buffer = mx::slice_update(buffer, arrays[i], mx::Shape{0, 0, size_, 0},
                              mx::Shape{1, buffer.shape(1), end, buffer.shape(3)});
  }
  size_ = end;
}

void KeyValueCache::reserve(int tokens) {
  const int room = buffers_.at(0).shape(2);
  if (tokens <= room) return;
  for (mx::array& buffer : buffers_)
    buffer = mx::concatenate({buffer, space(buffer, rounded_up(tokens) - room)}, 2);
}

kernels::Heads KeyValueCache::heads_with(int buffer, int tokens) {
  mx::array& numbers = buffers_.at(buffer);
  if (!numbers.is_available()) numbers.eval();
  return {numbers.data<void>(),
          number_type(numbers.dtype()).value(),
          numbers.shape(1),
          size_ + tokens,
          numbers.shape(3),
          static_cast<size_t>(numbers.strides(1)),
          static_cast<size_t>(numbers.strides(2))};
}

mx::array KeyValueCache::attention(const mx::array& queries, const SharedKernels& kernels) const {
  if (!format_.is_quantized()) return causal_attention(queries, kernels);
  const std::vector<mx::array> all = tokens(0, size_);
  const auto heads = [&](int first) {
    return QuantizedHeads{all[first], all[first + 1], all[first + 2], format_.group_size,
                          format_.bits};
  };
  return quantized_attention(queries, heads(0), heads(3), kernels);
}

mx::array KeyValueCache::causal_attention(const mx::array& queries,
                                          const SharedKernels& kernels) const {
  const int count = queries.shape(2);
  const bool rounds = kPlansShapes && count > 1 && mx::default_device() == mx::Device::gpu;
  const int behind = rounds ? rounded_up(size_) - size_ : 0;
  const std::vector<mx::array> all = tokens(0, size_ + behind);
  if (behind == 0) return nn::attention(queries, all[0], all[1], Mask::kCausal, kernels);
  // Keys behind the last token are seen by the queries that are added alone.
  const mx::array rows =
      nn::attention(with_more_queries(queries, behind), all[0], all[1], Mask::kCausal, kernels);
  return mx::slice(rows, {0, 0, 0}, {rows.shape(0), count, rows.shape(2)});
}

std::vector<mx::array> KeyValueCache::tokens(int begin, int end) const {
  std::vector<mx::array> parts;
  for (const mx::array& buffer : buffers_) parts.push_back(part(buffer, begin, end));
  return parts;
}

}  // namespace prismvid::nn

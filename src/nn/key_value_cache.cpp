#include "nn/key_value_cache.h"

namespace prismvid::nn {
namespace {

constexpr int kStep = 256;

// `buffer` with room for `needed` tokens and `tokens` written at `position`.
mx::array written(std::optional<mx::array>& buffer, const mx::array& tokens, int position) {
  const int heads = tokens.shape(1), head_dim = tokens.shape(3), end = position + tokens.shape(2);
  const int room = buffer ? buffer->shape(2) : 0;
  if (end > room) {
    const int more = (end + kStep - 1) / kStep * kStep - room;
    const mx::array space = mx::zeros({1, heads, more, head_dim}, tokens.dtype());
    buffer = buffer ? mx::concatenate({*buffer, space}, 2) : space;
  }
  return mx::slice_update(*buffer, tokens, mx::Shape{0, 0, position, 0},
                          mx::Shape{1, heads, end, head_dim});
}

mx::array first(const mx::array& buffer, int size) {
  return mx::slice(buffer, {0, 0, 0, 0}, {1, buffer.shape(1), size, buffer.shape(3)});
}

}  // namespace

std::pair<mx::array, mx::array> KeyValueCache::append(const mx::array& keys,
                                                      const mx::array& values) {
  keys_ = written(keys_, keys, size_);
  values_ = written(values_, values, size_);
  size_ += keys.shape(2);
  return {first(*keys_, size_), first(*values_, size_)};
}

std::pair<mx::array, mx::array> KeyValueCache::tokens(int begin, int end) const {
  const auto part = [&](const mx::array& buffer) {
    return mx::slice(buffer, {0, 0, begin, 0}, {1, buffer.shape(1), end, buffer.shape(3)});
  };
  return {part(*keys_), part(*values_)};
}

}  // namespace prismvid::nn

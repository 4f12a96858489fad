#include "nn/rotary.h"

#include "nn/kernel_primitive.h"
#include "nn/kernels/elementwise.h"

namespace prismvid::nn {

Rotation rotation_of(const mx::array& angles, float length) {
  const mx::array twice = mx::concatenate({angles, angles}, -1);
  if (length == 1) return {mx::cos(twice), mx::sin(twice)};
  return {mx::cos(twice) * length, mx::sin(twice) * length};
}

mx::array rotate_consecutive(const mx::array& x, const mx::array& periods, int offset,
                             float length) {
  const mx::array turned =
      mx::fast::rope(x, x.shape(-1), false, std::nullopt, 1.0f, offset, periods);
  return length == 1 ? turned : turned * mx::array(length, x.dtype());
}

namespace {

// The rows of entry `index` of (batch, tokens, width), which may be part of wider ones.
kernels::ConstRows strided_rows_of(const mx::array& x, int index) {
  return {x.data<char>() + index * x.strides(0) * x.itemsize(), number_type(x.dtype()).value(),
          x.shape(1), x.shape(2), static_cast<size_t>(x.strides(1))};
}

kernels::Heads writable_heads_of(mx::array& x, int index) {
  const kernels::ConstHeads heads = heads_of(x, index);
  return {const_cast<void*>(heads.data),
          heads.type,
          heads.heads,
          heads.tokens,
          heads.head_dim,
          heads.head_stride,
          heads.token_stride};
}

}  // namespace

mx::array rotated_heads(const mx::array& x, int heads, const RmsNorm* norm,
                        const Rotation& rotation, const SharedKernels& kernels) {
  const int batch = x.shape(0), tokens = x.shape(1), head_dim = x.shape(2) / heads;
  std::vector<mx::array> inputs = {x, rotation.cos, rotation.sin};
  if (norm) inputs.push_back(norm->weight());
  const float epsilon = norm ? norm->epsilon() : 0;
  return strided_kernel_array(
      "RotatedHeads", {batch, heads, tokens, head_dim}, x.dtype(), std::move(inputs),
      [=](const std::vector<mx::array>& in, mx::array& output) {
        std::optional<kernels::NormWeights> weights;
        if (in.size() > 3)
          weights = {in[3].data<void>(), nullptr, number_type(in[3].dtype()).value(), epsilon};
        const kernels::Turns turns = {in[1].data<float>(), in[2].data<float>(),
                                      static_cast<size_t>(in[1].strides(0))};
        for (int i = 0; i < batch; ++i)
          kernels::rotate_heads(kernels->context(), strided_rows_of(in[0], i),
                                weights ? &*weights : nullptr, turns, writable_heads_of(output, i));
      });
}

mx::array rotate(const mx::array& x, const Rotation& rotation) {
  const mx::array wide = mx::astype(x, mx::float32);
  const auto halves = mx::split(wide, 2, -1);
  const mx::array turned = mx::concatenate({mx::negative(halves[1]), halves[0]}, -1);
  return mx::astype(wide * rotation.cos + turned * rotation.sin, x.dtype());
}

}  // namespace prismvid::nn

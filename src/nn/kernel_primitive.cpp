#include "nn/kernel_primitive.h"

#include <mlx/backend/cpu/encoder.h>
#include <mlx/primitives.h>

#include <cstring>

#include "core/error.h"

namespace prismvid::nn {
namespace {

class KernelPrimitive : public mx::UnaryPrimitive {
 public:
  KernelPrimitive(const char* name, KernelWork work)
      : mx::UnaryPrimitive(mx::default_stream(mx::Device::cpu)),
        name_(name),
        work_(std::move(work)) {}

  void eval_cpu(const std::vector<mx::array>& inputs, mx::array& output) override {
    output.set_data(mx::allocator::malloc(output.nbytes()));
    auto& encoder = mx::cpu::get_command_encoder(stream());
    for (const mx::array& input : inputs) encoder.set_input_array(input);
    encoder.set_output_array(output);
    // Copies would keep the buffers from being reused; MLX holds them until the work is done.
    encoder.dispatch([work = work_, in = unsafe_weak_copies(inputs),
                      out = mx::array::unsafe_weak_copy(output)]() mutable { work(in, out); });
  }
  void eval_gpu(const std::vector<mx::array>&, mx::array&) override {
    fail(ErrorCode::kUnavailable, "the CPU kernel ", name_, " cannot run on a GPU");
  }
  const char* name() const override { return name_; }

 private:
  static std::vector<mx::array> unsafe_weak_copies(const std::vector<mx::array>& arrays) {
    std::vector<mx::array> copies;
    for (const mx::array& array : arrays) copies.push_back(mx::array::unsafe_weak_copy(array));
    return copies;
  }

  const char* name_;
  KernelWork work_;
};

void copy_dense(const char* from, const mx::array& array, size_t axis, char*& to) {
  if (axis == array.ndim()) {
    std::memcpy(to, from, array.itemsize());
    to += array.itemsize();
    return;
  }
  for (int i = 0; i < array.shape(static_cast<int>(axis)); ++i)
    copy_dense(from + i * array.strides()[axis] * static_cast<int64_t>(array.itemsize()), array,
               axis + 1, to);
}

// mx::contiguous() would be one more node for each input, and copies what lies in a mapped file.
mx::array dense(const mx::array& array) {
  if (array.flags().row_contiguous) return array;
  mx::array copy(array.shape(), array.dtype(), nullptr, {});
  copy.set_data(mx::allocator::malloc(copy.nbytes()));
  char* to = copy.data<char>();
  copy_dense(array.data<char>(), array, 0, to);
  return copy;
}

}  // namespace

mx::array kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                       std::vector<mx::array> inputs, KernelWork work) {
  const auto work_on_dense = [work = std::move(work)](const std::vector<mx::array>& strided,
                                                      mx::array& output) {
    std::vector<mx::array> dense_inputs;
    for (const mx::array& input : strided) dense_inputs.push_back(dense(input));
    work(dense_inputs, output);
  };
  return strided_kernel_array(name, std::move(shape), dtype, std::move(inputs), work_on_dense);
}

mx::array strided_kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                               std::vector<mx::array> inputs, KernelWork work) {
  return mx::array(std::move(shape), dtype,
                   std::make_shared<KernelPrimitive>(name, std::move(work)), std::move(inputs));
}

}  // namespace prismvid::nn

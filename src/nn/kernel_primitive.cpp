#include "nn/kernel_primitive.h"

#include <mlx/backend/cpu/encoder.h>
#include <mlx/primitives.h>

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

}  // namespace

mx::array kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                       std::vector<mx::array> inputs, KernelWork work) {
  for (mx::array& input : inputs) input = mx::contiguous(input);
  return strided_kernel_array(name, std::move(shape), dtype, std::move(inputs), std::move(work));
}

mx::array strided_kernel_array(const char* name, mx::Shape shape, mx::Dtype dtype,
                               std::vector<mx::array> inputs, KernelWork work) {
  return mx::array(std::move(shape), dtype,
                   std::make_shared<KernelPrimitive>(name, std::move(work)), std::move(inputs));
}

}  // namespace prismvid::nn

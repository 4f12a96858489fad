#include "nn/kernel_runtime.h"

#include "core/cpu.h"
#include "core/error.h"

namespace prismvid::nn {

KernelRuntime::KernelRuntime(const KernelOptions& options) : precise_(options.precise) {
  check(options.threads >= 0, ErrorCode::kInvalidArgument,
        "threads must be 1 or more, or 0 for all, got ", options.threads);
  table_ = &kernels::kernel_table(kernels::chosen_isa());
  pool_ = std::make_unique<kernels::ThreadPool>(options.threads > 0 ? options.threads
                                                                    : available_threads());
}

kernels::Precision KernelRuntime::precision(kernels::NumberType activations) const {
  if (activations == kernels::NumberType::kFloat32) return kernels::Precision::kFloat32;
  return precise_ ? kernels::Precision::kFull : kernels::Precision::kInt8;
}

std::optional<kernels::NumberType> number_type(mx::Dtype dtype) {
  if (dtype == mx::float32) return kernels::NumberType::kFloat32;
  if (dtype == mx::bfloat16) return kernels::NumberType::kBfloat16;
  if (dtype == mx::float16) return kernels::NumberType::kFloat16;
  return std::nullopt;
}

mx::array uninitialized_array(const mx::Shape& shape, mx::Dtype dtype) {
  size_t bytes = mx::size_of(dtype);
  for (const int size : shape) bytes *= static_cast<size_t>(size);
  return mx::array(mx::allocator::malloc(bytes), shape, dtype);
}

kernels::ConstRows rows_of(const mx::array& x) {
  const int columns = x.shape(-1);
  return {x.data<void>(), number_type(x.dtype()).value(), static_cast<int>(x.size() / columns),
          columns, static_cast<size_t>(columns)};
}

kernels::ConstHeads heads_of(const mx::array& x, int index) {
  const auto type = number_type(x.dtype()).value();
  const char* data = x.data<char>() + index * x.strides(0) * byte_size(type);
  return {data,
          type,
          x.shape(1),
          x.shape(2),
          x.shape(3),
          static_cast<size_t>(x.strides(1)),
          static_cast<size_t>(x.strides(2))};
}

kernels::Rows writable_rows_of(mx::array& x) {
  const kernels::ConstRows rows = rows_of(x);
  return {x.data<void>(), rows.type, rows.rows, rows.columns, rows.stride};
}

}  // namespace prismvid::nn

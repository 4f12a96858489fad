#include "nn/cuda/device_array.h"

#include <mlx/backend/cuda/allocator.h>

#include "nn/cuda/driver.h"

namespace prismvid::cuda {

const void* device_data(const mx::array& array) {
  mx::allocator::Buffer buffer = const_cast<mx::array&>(array).buffer();
  return static_cast<const char*>(static_cast<mx::cu::CudaBuffer*>(buffer.ptr())->data) +
         array.offset();
}

mx::array device_array(const void* data, const mx::Shape& shape, mx::Dtype dtype) {
  mx::array result = mx::zeros(shape, dtype);
  result.eval();
  mx::synchronize();
  if (result.nbytes() == 0) return result;
  Kernels::instance().use();
  check_driver(
      cuMemcpyHtoD(reinterpret_cast<CUdeviceptr>(device_data(result)), data, result.nbytes()),
      "copying weights to the device");
  return result;
}

}  // namespace prismvid::cuda

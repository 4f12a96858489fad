#include "nn/cuda/driver.h"

#include "core/error.h"
#include "nn/cuda/images.h"

namespace prismvid::cuda {

void check_driver(CUresult result, const char* what) {
  if (result == CUDA_SUCCESS) return;
  const char* text = nullptr;
  cuGetErrorString(result, &text);
  fail(ErrorCode::kUnavailable, "CUDA: ", what, ": ", text ? text : "unknown error");
}

namespace {

CUfunction function_of(CUmodule module, const std::string& name) {
  CUfunction function = nullptr;
  check_driver(cuModuleGetFunction(&function, module, name.c_str()), name.c_str());
  return function;
}

}  // namespace

DeviceBuffer::DeviceBuffer(size_t bytes) {
  check_driver(cuMemAlloc(&address_, bytes), "taking memory on the device");
  check_driver(cuMemsetD8(address_, 0, bytes), "clearing memory on the device");
}
DeviceBuffer::~DeviceBuffer() {
  if (address_) cuMemFree(address_);
}

HostBuffer::HostBuffer(size_t bytes) {
  check_driver(cuMemHostAlloc(&data_, bytes, CU_MEMHOSTALLOC_DEVICEMAP), "taking pinned memory");
  check_driver(cuMemHostGetDevicePointer(&address_, data_, 0), "mapping pinned memory");
}
HostBuffer::~HostBuffer() {
  cuMemFreeHost(data_);
}

const Kernels& Kernels::instance() {
  static const Kernels kernels;
  return kernels;
}

Kernels::Kernels() {
  CUdevice device = 0;
  check_driver(cuInit(0), "starting the driver");
  check_driver(cuDeviceGet(&device, 0), "finding a device");
  check_driver(cuDevicePrimaryCtxRetain(&context_, device), "opening the device");
  use();
  check_driver(
      cuDeviceGetAttribute(&multiprocessors_, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device),
      "asking for the multiprocessors");
  check_driver(cuDeviceGetAttribute(&most_shared_bytes_,
                                    CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, device),
               "asking for the shared memory");
  check_driver(cuDeviceGetAttribute(&major_, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
               "asking for the compute capability");
  const auto load = [](const void* image) {
    CUmodule module = nullptr;
    check_driver(cuModuleLoadData(&module, image),
                 "loading the kernels (compute capability 8.0 or later)");
    return module;
  };
  step_module_ = load(image_step);
  attention_ = step("attention");
  prefer_shared_memory(attention_);
  embed_ = step("embed");
  pick_greedy_ = step("pick_greedy");
  const void* images[] = {image_product_2, image_product_3, image_product_4, image_product_5,
                          image_product_6, image_product_8, image_product_16};
  for (int i = 0; i < 7; ++i) product_modules_[i] = load(images[i]);
}

CUfunction Kernels::product(int bits, const std::string& name) const {
  int index = 0;
  while (index < 7 && kBits[index] != bits) ++index;
  check(index < 7, ErrorCode::kInternal, "no CUDA kernel for ", bits, " bits");
  return function_of(product_modules_[index], name);
}

CUfunction Kernels::step(const std::string& name) const {
  return function_of(step_module_, name);
}

int Kernels::blocks_at_once(CUfunction function, unsigned threads, size_t shared_bytes) const {
  check_driver(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                  static_cast<int>(shared_bytes)),
               "asking for shared memory");
  int blocks = 0;
  check_driver(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function,
                                                           static_cast<int>(threads), shared_bytes),
               "asking for the occupancy");
  return blocks;
}

void Kernels::prefer_shared_memory(CUfunction function) {
  check_driver(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT,
                                  CU_SHAREDMEM_CARVEOUT_MAX_SHARED),
               "dividing the memory");
}

void Kernels::use() const {
  check_driver(cuCtxSetCurrent(context_), "using the device");
}

}  // namespace prismvid::cuda

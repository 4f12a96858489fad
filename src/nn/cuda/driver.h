#pragma once

#include <cuda.h>

#include <cstddef>
#include <string>
#include <utility>

// The CUDA driver: kernels compiled ahead by nvcc, memory, streams and graphs. Inside the CUDA
// build only.
namespace prismvid::cuda {

/// Throws Error(kUnavailable) naming `what` and the driver's words unless `result` is success.
void check_driver(CUresult result, const char* what);

/// Memory on the device, zeroed.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(size_t bytes);
  ~DeviceBuffer();
  DeviceBuffer(DeviceBuffer&& other) noexcept : address_(std::exchange(other.address_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(address_, other.address_);
    return *this;
  }

  CUdeviceptr address() const { return address_; }
  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(address_);
  }

 private:
  CUdeviceptr address_ = 0;
};

/// Memory of the host that the device reads and writes in place.
class HostBuffer {
 public:
  explicit HostBuffer(size_t bytes);
  ~HostBuffer();
  HostBuffer(const HostBuffer&) = delete;
  HostBuffer& operator=(const HostBuffer&) = delete;

  template <typename T>
  T* host() const {
    return static_cast<T*>(data_);
  }
  template <typename T>
  T* device() const {
    return reinterpret_cast<T*>(address_);
  }

 private:
  void* data_ = nullptr;
  CUdeviceptr address_ = 0;
};

struct Launch {
  CUfunction function = nullptr;
  unsigned grid[3] = {1, 1, 1};
  unsigned threads = 1;
  unsigned shared_bytes = 0;
};

/// The device's kernels, loaded once for the process.
class Kernels {
 public:
  /// Throws Error(kUnavailable) without a device that can run them.
  static const Kernels& instance();

  /// A kernel of product.cu by name.
  CUfunction product(int bits, const std::string& name) const;
  CUfunction attention() const { return attention_; }
  CUfunction embed() const { return embed_; }
  CUfunction pick_greedy() const { return pick_greedy_; }
  /// Any other kernel of step.cu by name.
  CUfunction step(const std::string& name) const;
  int multiprocessors() const { return multiprocessors_; }
  /// Whether four warps can multiply together (Hopper).
  bool has_warpgroups() const { return major_ == 9; }
  /// Of a block.
  size_t most_shared_bytes() const { return static_cast<size_t>(most_shared_bytes_); }
  /// Blocks of `threads` and so much shared memory that run on one multiprocessor at a time.
  int blocks_at_once(CUfunction function, unsigned threads, size_t shared_bytes) const;

  /// Gives `function` the division of a multiprocessor's memory with the least first-level cache.
  /// Kernels that follow each other should agree: to change it, a multiprocessor must run empty.
  static void prefer_shared_memory(CUfunction function);

  /// Makes the device's context current for this thread.
  void use() const;

 private:
  Kernels();
  static constexpr int kBits[] = {2, 3, 4, 5, 6, 8, 16};
  CUcontext context_ = nullptr;
  CUmodule product_modules_[7] = {}, step_module_ = nullptr;
  CUfunction attention_ = nullptr, embed_ = nullptr, pick_greedy_ = nullptr;
  int multiprocessors_ = 0, most_shared_bytes_ = 0, major_ = 0;
};

/// Starts a kernel whose one argument is `arguments`; it may begin before the one ahead of it has
/// ended.
template <typename Arguments>
void launch(const Launch& launch, const Arguments& arguments, CUstream stream) {
  CUlaunchAttribute overlap{};
  overlap.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  overlap.value.programmaticStreamSerializationAllowed = 1;
  CUlaunchConfig config{};
  config.gridDimX = launch.grid[0], config.gridDimY = launch.grid[1],
  config.gridDimZ = launch.grid[2];
  config.blockDimX = launch.threads, config.blockDimY = 1, config.blockDimZ = 1;
  config.sharedMemBytes = launch.shared_bytes;
  config.hStream = stream;
  config.attrs = &overlap, config.numAttrs = 1;
  void* parameters[] = {const_cast<Arguments*>(&arguments)};
  check_driver(cuLaunchKernelEx(&config, launch.function, parameters, nullptr),
               "starting a kernel");
}

}  // namespace prismvid::cuda

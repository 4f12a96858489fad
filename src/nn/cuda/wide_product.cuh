#pragma once
#include "product.cuh"

namespace prismvid::cuda {

// More tokens: x no longer fits beside the rings, so it goes through a ring of its own, which the
// warps of a block share; each has rows of its own. arrange() has put x in order. Grid: (blocks of
// rows, slices).
template <class Shape>
class WideProduct : public Product<Shape> {
  using Base = Product<Shape>;
  using Base::a_, Base::lane_, Base::warp_;
  static constexpr int kRowsBytes = Shape::kWarps * Shape::kStageBytes, kXBytes = Shape::kXBytes,
                       kSumBytes = Shape::kSumBytes, kStage = Shape::kWideStageBytes;

 public:
  __device__ WideProduct(const ProductArguments& arguments, char* shared)
      : Base(arguments, shared), shared_(shared) {}

  __device__ void run() {
    let_next_kernel_start();
    const int count = Base::slice_chunks_, packed = Base::row_of(0);
    for (int i = 0; i < Shape::kStages - 1; ++i)  // weights do not depend on what runs before
      if (i < count) fetch_weights(packed, i);
    wait_for_previous_kernel();
#pragma unroll
    for (int i = 0; i < Shape::kStages - 1; ++i) {
      if (i < count) fetch_x(i);
      commit_copies();
    }
    float total[Shape::ColumnTiles][4] = {};
    for (int chunk = 0; chunk < count; ++chunk) {
      wait_for_copies<Shape::kStages - 2>();
      __syncthreads();
      const int next = chunk + Shape::kStages - 1;
      if (next < count) {
        fetch_weights(packed, next);
        fetch_x(next);
      }
      commit_copies();
      char* stage = shared_ + chunk % Shape::kStages * kStage;
      Base::x_ = stage + kRowsBytes;
      Base::x_sums_ = reinterpret_cast<float*>(stage + kRowsBytes + kXBytes);
      Base::multiply(stage + warp_ * Shape::kStageBytes, 0, total);
    }
    const int g = lane_ / 4, t = lane_ % 4;
#pragma unroll
    for (int i = 0; i < Shape::ColumnTiles; ++i)
#pragma unroll
      for (int j = 0; j < 2; ++j)
        Base::put(i * 8 + 2 * t + j, packed + g, total[i][j], total[i][j + 2]);
    if (a_.slices > 1) Base::add_slices(packed - warp_ * 16);
  }

 private:
  __device__ void fetch_weights(int packed, int chunk) const {
    Base::fetch_rows(
        packed, Base::first_chunk_ + chunk,
        shared_address(shared_ + chunk % Shape::kStages * kStage + warp_ * Shape::kStageBytes));
  }
  __device__ void fetch_x(int chunk) const {
    const size_t at = static_cast<size_t>(Base::first_chunk_ + chunk);
    const uint32_t to = shared_address(shared_ + chunk % Shape::kStages * kStage + kRowsBytes);
    const char* x = a_.arranged + at * kXBytes;
    for (int i = threadIdx.x; i < kXBytes / 16; i += Shape::kThreads)
      copy_async<16>(to + i * 16, x + i * 16, true);
    const char* sums = reinterpret_cast<const char*>(a_.arranged_sums) + at * kSumBytes;
    for (int i = threadIdx.x; i < kSumBytes / 16; i += Shape::kThreads)
      copy_async<16>(to + kXBytes + i * 16, sums + i * 16, true);
  }

  char* shared_;
};

// x for WideProduct: in the order and with the sums of Product::load_x(), in memory. Grid: (chunks,
// column tiles), so that a block measures the whole rows of eight tokens only.
template <class Shape>
class Arranger : public Product<Shape> {
  using Base = Product<Shape>;

 public:
  __device__ Arranger(const ProductArguments& arguments, float* lengths)
      : Base(arguments, nullptr) {
    Base::first_chunk_ = blockIdx.x;
    Base::slice_chunks_ = 1;
    Base::x_ = arguments.arranged + static_cast<size_t>(blockIdx.x) * Shape::kXBytes;
    Base::x_sums_ =
        arguments.arranged_sums + static_cast<size_t>(blockIdx.x) * Shape::kSumBytes / 4;
    Base::lengths_ = lengths;
    Base::first_token_ = blockIdx.y * 8;
    Base::block_tokens_ = 8;
  }
  __device__ void run() {
    let_next_kernel_start();
    wait_for_previous_kernel();
    Base::load_x();
  }
};

}  // namespace prismvid::cuda

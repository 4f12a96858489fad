#pragma once
// As WideProduct, by four warps together on Hopper's matrix unit: x is read there from shared
// memory once for 64 rows.
#include "warpgroup.cuh"
#include "wide_product.cuh"

namespace prismvid::cuda {

template <class Shape>
class WarpgroupProduct : public Product<Shape> {
  using Base = Product<Shape>;
  using Base::a_, Base::lane_, Base::warp_;
  static constexpr int kRowsBytes = Shape::kWarps * Shape::kStageBytes, kXBytes = Shape::kXBytes,
                       kSumBytes = Shape::kSumBytes, kStage = Shape::kWideStageBytes;

 public:
  __device__ WarpgroupProduct(const ProductArguments& arguments, char* shared)
      : Base(arguments, shared), shared_(shared) {}

  __device__ void run() {
    let_next_kernel_start();
    const int count = Base::slice_chunks_, packed = Base::row_of(0);
    WeightCopies copies(a_, packed, lane_, Base::first_chunk_);
    open_barriers();
    for (int i = 0; i < Shape::kStages - 1; ++i)  // weights do not depend on what runs before
      if (i < count) copies.fetch(a_, weights(i), lane_);
    wait_for_previous_kernel();
#pragma unroll
    for (int i = 0; i < Shape::kStages - 1; ++i) {
      if (i < count) fetch_x(i);
      commit_copies();
    }
    float total[Shape::ColumnTiles][4] = {};
    for (int chunk = 0; chunk < count; ++chunk) {
      wait_for_copies<Shape::kStages - 2>();
      wait_at_barrier(barrier(chunk), chunk / Shape::kStages % 2);
      __syncthreads();
      const int next = chunk + Shape::kStages - 1;
      if (next < count) {
        copies.fetch(a_, weights(next), lane_);
        fetch_x(next);
      }
      commit_copies();
      char* stage = shared_ + chunk % Shape::kStages * kStage;
      Base::x_ = stage + kRowsBytes;
      Base::x_sums_ = reinterpret_cast<float*>(stage + kRowsBytes + kXBytes);
      multiply(stage + warp_ * Shape::kStageBytes, total);
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
  // The scales and biases of a chunk's groups, of rows g and g + 8.
  struct GroupScales {
    static constexpr int kCount = Shape::kGroupBytes / 4;  // words
    uint32_t scales[2][kCount + 1], biases[2][kCount + 1];

    __device__ void load(const ProductArguments& a, const uint32_t* stage, int g) {
      const auto* groups = stage + 16 * Shape::kRowStride;
#pragma unroll
      for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int w = 0; w < kCount; ++w) {
          scales[i][w] = groups[(g + 8 * i) * kCount + w];
          biases[i][w] = groups[(16 + g + 8 * i) * kCount + w];
        }
      if (Shape::kUnit == 64 && a.group == 128)  // two units to a group
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          const uint32_t scale = scales[i][0], bias = biases[i][0];
          scales[i][0] = __byte_perm(scale, scale, 0x1010);
          scales[i][1] = __byte_perm(scale, scale, 0x3232);
          biases[i][0] = __byte_perm(bias, bias, 0x1010);
          biases[i][1] = __byte_perm(bias, bias, 0x3232);
        }
    }
    // `offset`: for the sum of x, as the values are kOffset too large.
    __device__ void of_unit(int unit, float (&scale)[2], float (&offset)[2]) const {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        scale[i] = half_of(scales[i][unit / 2], unit % 2);
        offset[i] = half_of(biases[i][unit / 2], unit % 2) - kOffset<Shape::Bits> * scale[i];
      }
    }
  };

  // What a lane copies of a chunk of its warp's 16 rows; past the last row the last again.
  struct WeightCopies {
    static constexpr int kPieces = Shape::kRowWords / 4,
                         kRounds = (8 * kPieces + kWarp - 1) / kWarp;
    const char* from[2];
    int offsets[2][kRounds], places[kRounds], group_chunk = 0;
    const bf16* groups = nullptr;

    __device__ WeightCopies(const ProductArguments& a, int packed, int lane, int chunk) {
      packed = min(packed, (a.packed_rows() - 1) / 16 * 16);
      const int row_bytes = a.columns / 8 * Shape::Bits;
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const Rows rows = find_rows(a, packed, half);
        const int last = max(rows.count, 1) - 1, first = rows.first + min(rows.count - 1, 0);
        from[half] = reinterpret_cast<const char*>(rows.matrix->weight) +
                     static_cast<size_t>(first) * row_bytes + chunk * (Shape::kRowWords * 4);
#pragma unroll
        for (int i = 0; i < kRounds; ++i) {
          const int index = i * kWarp + lane, row = index / kPieces, piece = index % kPieces;
          offsets[half][i] = min(row, last) * row_bytes + piece * 16;
          places[i] = (row * Shape::kRowStride + piece * 4) * 4;
        }
      }
      if constexpr (Shape::kQuantized) {
        const Rows rows = find_rows(a, packed, lane / 8 % 2);
        const int last = max(rows.count, 1) - 1, first = rows.first + min(rows.count - 1, 0);
        group_chunk = Shape::kChunk / a.group;
        groups = (lane < 16 ? rows.matrix->scales : rows.matrix->biases) +
                 static_cast<size_t>(first + min(lane % 8, last)) * (a.columns / a.group) +
                 chunk * group_chunk;
      }
    }

    __device__ void fetch(const ProductArguments& a, uint32_t stage, int lane) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
#pragma unroll
        for (int i = 0; i < kRounds; ++i)
          if (8 * kPieces % kWarp == 0 || i * kWarp + lane < 8 * kPieces)
            copy_async<16>(stage + half * (8 * Shape::kRowStride * 4) + places[i],
                           from[half] + offsets[half][i]);
        from[half] += Shape::kRowWords * 4;
      }
      if constexpr (Shape::kQuantized) {
        const uint32_t to = stage + 16 * Shape::kRowStride * 4 + lane * Shape::kGroupBytes;
        if (Shape::kUnit == 64 && a.group == 128)
          copy_async<4>(to, groups);
        else
          copy_async<Shape::kGroupBytes>(to, groups);
        groups += group_chunk;
      }
    }
  };

  // Of this warp, for a chunk.
  __device__ uint32_t weights(int chunk) const {
    return shared_address(shared_ + chunk % Shape::kStages * kStage + warp_ * Shape::kStageBytes);
  }
  // Of x of a chunk.
  __device__ uint32_t barrier(int chunk) const {
    return shared_address(shared_ + Shape::kStages * kStage) + chunk % Shape::kStages * 8;
  }
  __device__ void open_barriers() const {
    if (threadIdx.x == 0)
      for (int i = 0; i < Shape::kStages; ++i) open_barrier(barrier(i));
    let_bulk_copies_see_barriers();
    __syncthreads();
  }

  __device__ void multiply(const char* stage, float (&total)[Shape::ColumnTiles][4]) const {
    const auto* words = reinterpret_cast<const uint32_t*>(stage);
    const int g = lane_ / 4, t = lane_ % 4;
    GroupScales groups;
    if constexpr (Shape::kQuantized) groups.load(a_, words, g);
    constexpr int half_bytes = Shape::ColumnTiles * 128;  // of 16 columns
    const uint32_t x = shared_address(Base::x_);
#pragma unroll
    for (int unit = 0; unit < Shape::kUnits; ++unit) {
      uint32_t low[Shape::kPairs], high[Shape::kPairs];  // rows g and g + 8
      Base::load_pairs(words + g * Shape::kRowStride, unit, low);
      Base::load_pairs(words + (g + 8) * Shape::kRowStride, unit, high);
      float sums[Shape::ColumnTiles][4];
      float(&d)[Shape::ColumnTiles][4] = Shape::kQuantized ? sums : total;
      begin_warpgroup_products();
#pragma unroll
      for (int i = 0; i < Shape::kPairs; i += 2)
        warpgroup_multiply_add(
            d, low[i], high[i], low[i + 1], high[i + 1],
            matrix_descriptor(x + (unit * Shape::kPairs + i) * half_bytes, half_bytes, 128),
            i > 0 || !Shape::kQuantized);
      end_warpgroup_products();
      if constexpr (Shape::kQuantized) {
        float scale[2], offset[2];
        groups.of_unit(unit, scale, offset);
#pragma unroll
        for (int tile = 0; tile < Shape::ColumnTiles; ++tile) {
          const float2 sum = *reinterpret_cast<const float2*>(
              Base::x_sums_ + (unit * Shape::ColumnTiles + tile) * 8 + 2 * t);
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            total[tile][half * 2] += scale[half] * sums[tile][half * 2] + offset[half] * sum.x;
            total[tile][half * 2 + 1] +=
                scale[half] * sums[tile][half * 2 + 1] + offset[half] * sum.y;
          }
        }
      }
    }
  }

  // Bulk copies bring what the matrix unit sees without a fence.
  __device__ void fetch_x(int chunk) const {
    if (threadIdx.x != 0) return;
    const size_t at = static_cast<size_t>(Base::first_chunk_ + chunk);
    const uint32_t to = shared_address(shared_ + chunk % Shape::kStages * kStage + kRowsBytes);
    expect_bytes(barrier(chunk), kXBytes + kSumBytes);
    copy_bulk(to, a_.arranged + at * kXBytes, kXBytes, barrier(chunk));
    if constexpr (kSumBytes > 0)
      copy_bulk(to + kXBytes, reinterpret_cast<const char*>(a_.arranged_sums) + at * kSumBytes,
                kSumBytes, barrier(chunk));
  }

  char* shared_;
};

// The kernels' bodies; empty where the device has no warpgroups.
template <class Shape>
__device__ void arrange_for_warpgroups(const ProductArguments& arguments) {
  if constexpr (kHasWarpgroups) {
    __shared__ float lengths[8 * Shape::ColumnTiles];
    Arranger<Shape>(arguments, lengths).run();
  }
}
template <class Shape>
__device__ void multiply_by_warpgroups(const ProductArguments& arguments, char* shared) {
  if constexpr (kHasWarpgroups) WarpgroupProduct<Shape>(arguments, shared).run();
}

}  // namespace prismvid::cuda

#pragma once
// Where the rows of a product's matrices are and where its results go.
#include "device.cuh"

namespace prismvid::cuda {

// Rows `half` * 8 to + 8 of 16 packed rows, which are in one matrix.
struct Rows {
  const ProductMatrix* matrix;
  int first, count;  // in the matrix; how many there are
};
__device__ __forceinline__ Rows find_rows(const ProductArguments& a, int packed, int half) {
  if (a.join == Join::kGated) return {&a.matrices[half], packed / 2, a.rows - packed / 2};
  const int row = packed + half * 8;
  const int index = (packed >= a.first_row[1]) + (packed >= a.first_row[2]);
  return {&a.matrices[index], row - a.first_row[index], a.rows - row};
}

__device__ __forceinline__ void write_row(const ProductArguments& a, int token, int row,
                                          float value) {
  if (row >= a.rows) return;
  const size_t at = static_cast<size_t>(token) * a.stride + row;
  if (a.residual) value += __bfloat162float(a.residual[at]);
  if (a.float_output)
    static_cast<float*>(a.y)[at] = value;
  else
    static_cast<bf16*>(a.y)[at] = __float2bfloat16(value);
}

// The sums of packed rows `row` and `row` + 8.
__device__ __forceinline__ void write_rows(const ProductArguments& a, int token, int row, float sum,
                                           float next_sum) {
  if (a.join == Join::kGated) {
    write_row(a, token, row / 16 * 8 + row % 8, sum / (1 + __expf(-sum)) * next_sum);
    return;
  }
  write_row(a, token, row, sum);
  write_row(a, token, row + 8, next_sum);
}

// Of rows `row` and `row` + 1 of one token; `row` is even.
__device__ __forceinline__ uint32_t residual_pair(const ProductArguments& a, int row) {
  if (!a.residual || row >= a.rows) return 0;
  if (row + 1 < a.rows) return load_coherent(reinterpret_cast<const uint32_t*>(a.residual + row));
  return __bfloat16_as_ushort(a.residual[row]);
}
__device__ __forceinline__ void write_pair(const ProductArguments& a, int row, float first,
                                           float second, uint32_t residual) {
  if (row >= a.rows) return;
  const bool both = row + 1 < a.rows;
  first += low_half(residual), second += high_half(residual);
  if (a.float_output) {
    float* y = static_cast<float*>(a.y) + row;
    if (both)
      *reinterpret_cast<float2*>(y) = make_float2(first, second);
    else
      *y = first;
  } else {
    bf16* y = static_cast<bf16*>(a.y) + row;
    if (both)
      *reinterpret_cast<uint32_t*>(y) = pack(first, second);
    else
      *y = __float2bfloat16(first);
  }
}

}  // namespace prismvid::cuda

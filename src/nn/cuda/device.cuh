#pragma once
// Building blocks of the kernels: asynchronous copies, the matrix unit, conversions.
#include "arguments.h"

namespace prismvid::cuda {

__device__ __forceinline__ uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Copies `Bytes` to shared memory; nothing is read and zeros are written where !valid.
template <int Bytes>
__device__ __forceinline__ void copy_async(uint32_t to, const void* from, bool valid) {
  const int bytes = valid ? Bytes : 0;
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
                 "r"(bytes));
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(from), "n"(Bytes),
                 "r"(bytes));
}
template <int Bytes>
__device__ __forceinline__ void copy_async(uint32_t to, const void* from) {
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(to), "l"(from));
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(from), "n"(Bytes));
}
// 16 bytes, or none and nothing is written.
__device__ __forceinline__ void copy_async_if(bool wanted, uint32_t to, const void* from) {
  asm volatile(
      "{ .reg .pred p; setp.ne.u32 p, %2, 0;"
      " @p cp.async.cg.shared.global.L2::128B [%0], [%1], 16; }" ::"r"(to),
      "l"(from), "r"(static_cast<uint32_t>(wanted)));
}
__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;");
}
template <int Left>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Left) : "memory");
}

// d += a (16 x 16, row-major) * b (16 x 8, column-major)
__device__ __forceinline__ void multiply_add(float (&d)[4], uint32_t a0, uint32_t a1, uint32_t a2,
                                             uint32_t a3, uint32_t b0, uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// The same with rows 8 to 16 of `a` zero, of which nothing is kept.
__device__ __forceinline__ void multiply_add_upper(float (&d)[2], uint32_t a0, uint32_t a2,
                                                   uint32_t b0, uint32_t b1) {
  [[maybe_unused]] float unused[2];
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%5}, {%7,%8}, "
      "{%0,%1,%9,%9};"
      : "+f"(d[0]), "+f"(d[1]), "=f"(unused[0]), "=f"(unused[1])
      : "r"(a0), "r"(0), "r"(a2), "r"(b0), "r"(b1), "f"(0.0f));
}

// Programmatic dependent launch: a kernel may start before the one it depends on has ended.
__device__ __forceinline__ void let_next_kernel_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}
__device__ __forceinline__ void wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Past the first-level cache, for what other blocks may be writing.
__device__ __forceinline__ uint32_t load_coherent(const uint32_t* from) {
  uint32_t value;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(from));
  return value;
}
__device__ __forceinline__ uint4 load_coherent(const uint4* from) {
  uint4 value;
  asm volatile("ld.relaxed.gpu.global.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "l"(from));
  return value;
}

// `from` is a multiple of the largest power of two up to 16 that divides the bytes.
template <int Words>
__device__ __forceinline__ void load_shared(uint32_t from, uint32_t (&words)[Words]) {
  constexpr int width = Words % 4 == 0 ? 4 : Words % 2 == 0 ? 2 : 1;
#pragma unroll
  for (int i = 0; i < Words; i += width) {
    const uint32_t at = from + i * 4;
    if constexpr (width == 4)
      asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
                   : "=r"(words[i]), "=r"(words[i + 1]), "=r"(words[i + 2]), "=r"(words[i + 3])
                   : "r"(at));
    else if constexpr (width == 2)
      asm volatile("ld.shared.v2.u32 {%0,%1}, [%2];"
                   : "=r"(words[i]), "=r"(words[i + 1])
                   : "r"(at));
    else
      asm volatile("ld.shared.u32 %0, [%1];" : "=r"(words[i]) : "r"(at));
  }
}

__device__ __forceinline__ float low_half(uint32_t pair) {
  return __uint_as_float(pair << 16);
}
__device__ __forceinline__ float high_half(uint32_t pair) {
  return __uint_as_float(pair & 0xffff0000u);
}
__device__ __forceinline__ float half_of(uint32_t pair, int half) {
  return half ? high_half(pair) : low_half(pair);
}
__device__ __forceinline__ uint32_t pack(float low, float high) {
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

}  // namespace prismvid::cuda

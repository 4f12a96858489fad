#pragma once

#include "nn/kernels/kernel_table.h"
#include "nn/kernels/simd/vector_avx512.h"

namespace prismvid::nn::kernels {

/// Products of bf16 pairs, two columns in a step; for sources compiled with BF16.
struct Bfloat16Dot {
  using Vector = Avx512Lanes<true>;
  using Sum = __m512;
  static constexpr int kColumnsPerStep = 2;
  static constexpr bool kPairsBlocks = true;

  template <int kBits>
  static constexpr int kTokensTogether = 12;

  template <int kBits>
  static Sum dot(Sum sum, __m512i weights, const void* x) {
    asm("vdpbf16ps %2%{1to16%}, %1, %0"
        : "+v"(sum)
        : "v"(weights), "m"(*static_cast<const Vector::FourBytes*>(x)));
    return sum;
  }
  template <int kBits>
  static Sum dot_repeated(Sum sum, __m512i weights, __m512i x) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(weights), "v"(x));
    return sum;
  }
  /// Thirty-two numbers, rounded.
  static __m512i pairs(const void* in, NumberType type) {
    if (type == NumberType::kBfloat16) return Vector::load_bytes(in);
    const char* next = static_cast<const char*>(in) + 16 * byte_size(type);
    const __m256i low = Vector::to_bfloat16(Vector::load_numbers(in, type)),
                  high = Vector::to_bfloat16(Vector::load_numbers(next, type));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  /// Rounds 16 numbers, writes them side by side and returns the rounded ones.
  static __m512 store_row(std::uint8_t* out, __m512 x) {
    const __m256i rounded = Vector::to_bfloat16(x);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), rounded);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded), 16));
  }
  /// Rounds 16 numbers and writes them as pairs `stride` bytes apart.
  static void store_pairs(std::uint8_t* out, std::size_t stride, __m512 x) {
    alignas(32) std::uint32_t rounded[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(rounded), Vector::to_bfloat16(x));
    for (int i = 0; i < 8; ++i) __builtin_memcpy(out + i * stride, &rounded[i], 4);
  }

  /// Rounds a tile of activations, where it can four tokens at a time, whose pairs lie side by
  /// side.
  static void prepare(const PrepareArguments& a) {
    const std::size_t number = byte_size(a.input_type), stride = 4 * std::size_t(a.tokens);
    const auto input = [&](int t, int k) {
      return static_cast<const char*>(a.input) + (t * a.input_stride + k) * number;
    };
    const auto output = [&](int t, int k) { return a.prepared + k / 2 * stride + 4 * t; };
    const int fours = a.tokens / 4 * 4, whole = a.columns / 32 * 32;
    for (int t = 0; t < fours; t += 4)
      for (int k = 0; k < whole; k += 32) {
        const __m512i rows[] = {
            pairs(input(t, k), a.input_type), pairs(input(t + 1, k), a.input_type),
            pairs(input(t + 2, k), a.input_type), pairs(input(t + 3, k), a.input_type)};
        Vector::store_columns(output(t, k), stride, rows);
      }
    for (int t = 0; t < a.tokens; ++t)
      for (int k = t < fours ? whole : 0; k < a.columns; k += 16)
        store_pairs(output(t, k), stride, Vector::load_numbers(input(t, k), a.input_type));
  }
};

}  // namespace prismvid::nn::kernels

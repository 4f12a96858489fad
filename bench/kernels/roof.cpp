#include "roof.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "nn/kernels/isa.h"

namespace prismvid::bench {
namespace {

using nn::kernels::Isa;

std::atomic<std::uint64_t> sink;

template <typename Work>
double seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::uint64_t read_plain(const std::uint8_t* data, std::size_t bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, data + i, 8);
    sum += word;
  }
  return sum;
}

double gop_per_s(nn::kernels::ThreadPool& pool, Product product, int operations) {
  constexpr long kSteps = 100000;
  const double time = seconds([&] {
    pool.parallel_for(pool.threads(), [&](int) { sink += multiply_avx512(product, kSteps) != 0; });
  });
  return 1e-9 * kSteps * 10 * operations * pool.threads() / time;
}

}  // namespace

void measure_roof(nn::kernels::ThreadPool& pool, const std::uint8_t* data, std::size_t bytes,
                  Roof& roof) {
  const bool avx512 = nn::kernels::supported_isas().back() == Isa::kAvx512;
  // Slices as short as the kernels timed beside them, so that both find the same quiet moments.
  constexpr std::size_t kPart = std::size_t{256} << 10, kSlice = 64 * kPart;
  for (std::size_t at = 0; at + kSlice <= bytes; at += kSlice) {
    const double time = seconds([&] {
      pool.parallel_for(kSlice / kPart, [&](int i) {
        const std::uint8_t* part = data + at + i * kPart;
        sink += avx512 ? read_avx512(part, kPart) : read_plain(part, kPart);
      });
    });
    roof.read_gb_per_s = std::max(roof.read_gb_per_s, 1e-9 * kSlice / time);
  }
  if (!avx512) return;
  for (int repeat = 0; repeat < 5; ++repeat) {
    roof.f32_gop_per_s = std::max(roof.f32_gop_per_s, gop_per_s(pool, Product::kFloat32, 32));
    roof.bf16_gop_per_s = std::max(roof.bf16_gop_per_s, gop_per_s(pool, Product::kBfloat16, 64));
    roof.int8_gop_per_s = std::max(roof.int8_gop_per_s, gop_per_s(pool, Product::kInt8, 128));
  }
}

}  // namespace prismvid::bench

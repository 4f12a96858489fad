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

/// How one level reads and multiplies.
struct Level {
  std::uint64_t (*read)(const std::uint8_t*, std::size_t);
  float (*multiply)(Product, long steps);
  int operations[3];  // of an instruction, by Product; 0: there is none
};

Level best_level() {
#if defined(__x86_64__)
  switch (nn::kernels::supported_isas().back()) {
    case Isa::kAmx:
      return {read_avx512, multiply_amx, {32, 2 * 16 * 16 * 32, 128}};
    case Isa::kAvx512Bf16:
      return {read_avx512, multiply_avx512, {32, 64, 128}};
    case Isa::kAvx512:
      return {read_avx512, multiply_avx512, {32, 0, 128}};
    case Isa::kAvxVnni:
      return {read_avx2, multiply_avx_vnni, {16, 0, 64}};
    case Isa::kAvx2:
      return {read_avx2, multiply_avx2, {16, 0, 64}};
    default:
      break;
  }
#endif
  return {read_plain, nullptr, {}};
}

double product_rate(nn::kernels::ThreadPool& pool, const Level& level, Product product,
                    long steps) {
  const int operations = level.operations[static_cast<int>(product)];
  if (operations == 0) return 0;
  const double time = seconds([&] {
    pool.parallel_for(pool.threads(), [&](int) { sink += level.multiply(product, steps) != 0; });
  });
  return 1e-9 * steps * kProductsOfStep * operations * pool.threads() / time;
}

void raise_products(nn::kernels::ThreadPool& pool, const Level& level, Product product,
                    double& gop_per_s) {
  gop_per_s = std::max(gop_per_s, product_rate(pool, level, product, 100000));
}

}  // namespace

double product_gop_per_s(nn::kernels::ThreadPool& pool, Product product) {
  const Level level = best_level();
  constexpr long kSteps = 5000000;
  constexpr double kSeconds = 0.3;
  // Threads that have just worked look for more for a moment, on the same cores.
  const double time = seconds([&] { product_rate(pool, level, product, kSteps); });
  return product_rate(pool, level, product,
                      std::max(kSteps, static_cast<long>(kSteps * kSeconds / time)));
}

double read_gb_per_s(nn::kernels::ThreadPool& pool, const std::uint8_t* data, std::size_t bytes) {
  constexpr std::size_t kPart = std::size_t{256} << 10;
  const Level level = best_level();
  const double time = seconds([&] {
    pool.parallel_for(static_cast<int>(bytes / kPart),
                      [&](int i) { sink += level.read(data + i * kPart, kPart); });
  });
  return 1e-9 * bytes / time;
}

void measure_roof(nn::kernels::ThreadPool& pool, const std::uint8_t* data, std::size_t bytes,
                  Roof& roof) {
  const Level level = best_level();
  // Slices as short as the kernels timed beside them, so that both find the same quiet moments.
  constexpr std::size_t kSlice = std::size_t{16} << 20;
  for (std::size_t at = 0; at + kSlice <= bytes; at += kSlice)
    roof.best_read_gb_per_s =
        std::max(roof.best_read_gb_per_s, read_gb_per_s(pool, data + at, kSlice));
  for (int repeat = 0; repeat < 5; ++repeat) {
    raise_products(pool, level, Product::kFloat32, roof.f32_gop_per_s);
    raise_products(pool, level, Product::kBfloat16, roof.bf16_gop_per_s);
    raise_products(pool, level, Product::kInt8, roof.int8_gop_per_s);
  }
}

}  // namespace prismvid::bench

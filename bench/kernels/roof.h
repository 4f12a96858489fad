#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/kernels/thread_pool.h"

namespace prismvid::bench {

/// What the machine can do at most, all threads together.
struct Roof {
  double best_read_gb_per_s = 0;  // in the quietest moment
  double f32_gop_per_s = 0;       // the next three: 0 where the level has no such instruction
  double bf16_gop_per_s = 0;  // AVX2 multiplies bytes by vpmaddubsw, whose sums are 16 bits wide
  double int8_gop_per_s = 0;
};

enum class Product { kFloat32, kBfloat16, kInt8 };

/// Products of a step, each with a sum of its own: with ten, Zen 5 waits for sums now and then.
constexpr int kProductsOfStep = 12;

/// Adds up to `roof` what this moment shows, keeping the best seen. `data`: far more than the
/// caches.
void measure_roof(nn::kernels::ThreadPool& pool, const std::uint8_t* data, std::size_t bytes,
                  Roof& roof);

/// Gop/s of products on all threads at this moment; 0 where the level has no such instruction.
double product_gop_per_s(nn::kernels::ThreadPool& pool, Product product);

/// GB/s of reading `bytes`, a multiple of 256 KiB, each thread its own stretch.
double read_gb_per_s(nn::kernels::ThreadPool& pool, const std::uint8_t* data, std::size_t bytes);

/// For one thread: reads `bytes` (a multiple of 256, aligned to 64) / runs `steps` steps of
/// kProductsOfStep products.
std::uint64_t read_avx512(const std::uint8_t* data, std::size_t bytes);
float multiply_avx512(Product product, long steps);
float multiply_amx(Product product, long steps);  // bf16 in tiles
std::uint64_t read_avx2(const std::uint8_t* data, std::size_t bytes);
float multiply_avx2(Product product, long steps);
float multiply_avx_vnni(Product product, long steps);

}  // namespace prismvid::bench

// Prints what each kernel reaches beside what the machine can do, both measured in turns.
// Usage: kernels_bench [rounds]. Each figure is the best of all rounds.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "nn/kernels/dense_linear.h"
#include "nn/kernels/quantized_linear.h"
#include "roof.h"

namespace prismvid::bench {
namespace {

using namespace nn::kernels;

struct Shape {
  const char* name;
  int rows, columns;
};

/// Copies of one product's weights, so many that none is in a cache when its turn comes again.
class Linear {
 public:
  Linear(Shape shape, int bits, ThreadPool& pool) : shape_(shape), bits_(bits) {
    std::mt19937 random(bits);
    std::vector<std::uint32_t> words(std::size_t(shape.rows) * shape.columns * bits / 32);
    for (auto& word : words) word = random();
    std::vector<std::uint16_t> scales(std::size_t(shape.rows) * shape.columns / 64, 0x3c00);
    const QuantizedMatrixView view = {
        words.data(), scales.data(), scales.data(), NumberType::kBfloat16,
        shape.rows,   shape.columns, bits,          64};
    constexpr std::size_t kEnough = std::size_t{160} << 20;
    do copies_.emplace_back(view, pool);
    while (copies_.size() * copies_[0].bytes() < kEnough);
  }

  const PackedMatrix& next() { return copies_[turn_++ % copies_.size()]; }
  Shape shape() const { return shape_; }
  int bits() const { return bits_; }

 private:
  Shape shape_;
  int bits_;
  std::size_t turn_ = 0;
  std::vector<PackedMatrix> copies_;
};

struct Measurement {
  int tokens;
  Precision precision;
  double seconds = 1e9;
};

void run_once(const Context& context, Linear& linear, Measurement& m) {
  const Shape shape = linear.shape();
  std::vector<std::uint16_t> x(std::size_t(m.tokens) * shape.columns);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint16_t>(0x3f00 + i % 97);
  std::vector<float> y(std::size_t(m.tokens) * shape.rows);
  const PackedMatrix& matrix = linear.next();
  const auto start = std::chrono::steady_clock::now();
  quantized_linear(
      context, matrix,
      {x.data(), NumberType::kBfloat16, m.tokens, shape.columns, std::size_t(shape.columns)},
      {y.data(), NumberType::kFloat32, m.tokens, shape.rows, std::size_t(shape.rows)}, m.precision);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  m.seconds = std::min(m.seconds, time.count());
}

void print(Linear& linear, const Measurement& m, const Roof& roof) {
  const Shape shape = linear.shape();
  const double gb = linear.next().bytes() * 1e-9 / m.seconds;
  const double gop = 2e-9 * shape.rows * shape.columns * m.tokens / m.seconds;
  const bool int8 = m.precision == Precision::kInt8;
  const double peak = int8 ? roof.int8_gop_per_s : roof.bf16_gop_per_s;
  std::printf("%-16s %6d x %-6d %d bit %-5s %5d %10.3f %8.1f %5.0f%% %9.0f %5.0f%%\n", shape.name,
              shape.rows, shape.columns, linear.bits(), int8 ? "int8" : "full", m.tokens,
              1e3 * m.seconds, gb, 100 * gb / roof.best_read_gb_per_s, gop,
              peak > 0 ? 100 * gop / peak : 0.0);
}

void run_shape(const Context& context, Shape shape, int bits, std::initializer_list<int> tokens,
               int rounds, std::span<const std::uint8_t> memory) {
  Linear linear(shape, bits, context.pool);
  std::vector<Measurement> all;
  for (Precision precision : {Precision::kInt8, Precision::kFull})
    for (int count : tokens) all.push_back({count, precision});
  Roof roof;
  for (int round = 0; round < rounds; ++round) {
    measure_roof(context.pool, memory.data(), memory.size(), roof);
    for (auto& m : all)
      for (int repeat = 0; repeat < 8; ++repeat) run_once(context, linear, m);
  }
  std::printf("roof: read %.1f GB/s, f32 %.0f, bf16 %.0f, int8 %.0f Gop/s\n",
              roof.best_read_gb_per_s, roof.f32_gop_per_s, roof.bf16_gop_per_s,
              roof.int8_gop_per_s);
  for (const auto& m : all) print(linear, m, roof);
}

/// The vision tower's products: plain bf16.
void run_dense(const Context& context, Shape shape, int tokens, int rounds,
               std::span<const std::uint8_t> memory) {
  const std::vector<std::uint16_t> weights(std::size_t(shape.rows) * shape.columns, 0x3c00);
  const std::vector<std::uint16_t> x(std::size_t(tokens) * shape.columns, 0x3f00);
  std::vector<float> y(std::size_t(tokens) * shape.rows);
  const std::size_t columns = shape.columns;
  const DenseMatrix matrix(
      {weights.data(), NumberType::kBfloat16, shape.rows, shape.columns, columns}, nullptr, {},
      context.pool);
  Roof roof;
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    measure_roof(context.pool, memory.data(), memory.size(), roof);
    for (int repeat = 0; repeat < 8; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      dense_linear(context, matrix,
                   {x.data(), NumberType::kBfloat16, tokens, shape.columns, columns},
                   {y.data(), NumberType::kFloat32, tokens, shape.rows, std::size_t(shape.rows)});
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
      best = std::min(best, time.count());
    }
  }
  const double gop = 2e-9 * shape.rows * shape.columns * tokens / best;
  std::printf(
      "%-16s %6d x %-6d bf16        %5d %10.3f %8.1f %5.0f%% %9.0f %5.0f%%  (read %.1f, bf16 "
      "%.0f)\n",
      shape.name, shape.rows, shape.columns, tokens, 1e3 * best, matrix.bytes() * 1e-9 / best,
      100 * matrix.bytes() * 1e-9 / best / roof.best_read_gb_per_s, gop,
      roof.bf16_gop_per_s > 0 ? 100 * gop / roof.bf16_gop_per_s : 0.0, roof.best_read_gb_per_s,
      roof.bf16_gop_per_s);
}

}  // namespace
}  // namespace prismvid::bench

int main(int argc, char** argv) {
  using namespace prismvid::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 10;
  ThreadPool pool(prismvid::available_threads());
  const Context context = {kernel_table(chosen_isa()), pool};
  std::printf("%s, %d threads, groups of 64; the best of %d rounds\n", to_string(context.table.isa),
              pool.threads(), rounds);
  std::printf("%-41s %5s %10s %8s %6s %9s %6s\n", "matrix", "rows", "ms", "GB/s", "roof", "Gop/s",
              "roof");
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  const auto owner = allocate_aligned(kBytes);  // in huge pages, as the matrices
  std::fill_n(owner.get(), kBytes, std::uint8_t{1});
  const std::span<const std::uint8_t> memory(owner.get(), kBytes);
  run_dense(context, {"2B tower qkv/4", 768, 1024}, 240, rounds, memory);
  run_dense(context, {"8B tower qkv/4", 864, 1152}, 240, rounds, memory);
  run_dense(context, {"8B tower fc2/2", 576, 4304}, 240, rounds, memory);
  // Many rows take long: a slice of the matrix shows the same rate.
  for (int bits : {4, 3, 8}) {
    run_shape(context, {"2B gate/up", 6144, 2048}, bits, {1, 2, 4}, rounds, memory);
    run_shape(context, {"8B gate/up", 12288, 4096}, bits, {1, 2, 4}, rounds, memory);
    run_shape(context, {"2B gate/up part", 512, 2048}, bits, {8, 16, 240}, rounds, memory);
    run_shape(context, {"8B gate/up part", 512, 4096}, bits, {8, 16, 240}, rounds, memory);
  }
}

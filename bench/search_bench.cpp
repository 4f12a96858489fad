#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "core/cpu.h"
#include "search/half_vectors.h"

// Exact search among sentence vectors: search_bench [VECTORS] [QUERIES].
namespace {

using namespace prismvid;
using Clock = std::chrono::steady_clock;

constexpr size_t kSize = 384;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<uint16_t> random_rows(size_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> value(-0.1f, 0.1f);
  std::vector<uint16_t> some(1 << 16);
  for (uint16_t& half : some) half = search::to_half(value(random));
  std::vector<uint16_t> rows(count * kSize);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = some[(i * 40503 + i / 65536) & 0xFFFF];
  return rows;
}

}  // namespace

int main(int count, char** arguments) {
  const size_t vectors = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1'000'000;
  const int queries = count > 2 ? std::atoi(arguments[2]) : 20;
  const std::vector<uint16_t> rows = random_rows(vectors);
  const std::vector<float> query(kSize, 0.05f);
  const double gigabytes = static_cast<double>(rows.size() * sizeof(uint16_t)) / 1e9;
  std::printf("%zu vectors of %zu half floats, %.2f GB\n", vectors, kSize, gigabytes);
  for (int threads = 1; threads <= available_threads(); ++threads) {
    std::vector<double> times;
    for (int i = 0; i < queries; ++i) {
      const auto start = Clock::now();
      if (search::nearest(query, rows, 200, threads).size() != 200) return 1;
      times.push_back(ms_since(start));
    }
    std::sort(times.begin(), times.end());
    const double median = times[times.size() / 2];
    std::printf("%d threads: median %.1f ms, best %.1f, worst %.1f; %.1f GB/s\n", threads, median,
                times.front(), times.back(), gigabytes / median * 1e3);
  }
}

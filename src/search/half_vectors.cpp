#include "search/half_vectors.h"

#include <algorithm>
#include <bit>
#include <thread>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace prismvid::search {
namespace {

bool better(const Neighbour& a, const Neighbour& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

/// Keeps the best in a heap whose first is the worst of them.
class Best {
 public:
  explicit Best(size_t most) : most_(most) {}

  void add(const Neighbour& neighbour) {
    if (heap_.size() == most_) {
      if (heap_.empty() || !better(neighbour, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(neighbour);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  const std::vector<Neighbour>& found() const { return heap_; }

 private:
  size_t most_;
  std::vector<Neighbour> heap_;
};

using Dot = float (*)(std::span<const float>, const uint16_t*);

#if defined(__x86_64__)

__attribute__((target("avx2,fma,f16c"))) __m256 halves8(const uint16_t* row) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row)));
}

__attribute__((target("avx2,fma,f16c"))) float dot_avx2(std::span<const float> query,
                                                        const uint16_t* row) {
  const size_t size = query.size();
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                    _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= size; i += 32)
    for (size_t k = 0; k < 4; ++k)
      sums[k] = _mm256_fmadd_ps(_mm256_loadu_ps(query.data() + i + 8 * k), halves8(row + i + 8 * k),
                                sums[k]);
  alignas(32) float lanes[8];
  _mm256_store_ps(lanes,
                  _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum + dot_plain(query.subspan(i), row + i);
}

__attribute__((target("avx512f"))) float dot_avx512(std::span<const float> query,
                                                    const uint16_t* row) {
  const size_t size = query.size();
  __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= size; i += 32)
    for (size_t k = 0; k < 2; ++k) {
      const auto* halves = reinterpret_cast<const __m256i*>(row + i + 16 * k);
      sums[k] = _mm512_fmadd_ps(_mm512_loadu_ps(query.data() + i + 16 * k),
                                _mm512_cvtph_ps(_mm256_loadu_si256(halves)), sums[k]);
    }
  return _mm512_reduce_add_ps(_mm512_add_ps(sums[0], sums[1])) +
         dot_plain(query.subspan(i), row + i);
}

Dot best_dot() {
  if (__builtin_cpu_supports("avx512f")) return dot_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c"))
    return dot_avx2;
  return dot_plain;
}

#else

Dot best_dot() {
  return dot_plain;
}

#endif

}  // namespace

uint16_t to_half(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude >= 0x7F800000) return sign | (magnitude > 0x7F800000 ? 0x7E00 : 0x7C00);
  if (magnitude >= 0x477FF000) return sign | 0x7C00;  // rounds to infinity
  if (magnitude < 0x38800000) {                       // subnormal: units of 2^-24
    const float units = std::bit_cast<float>(magnitude) * 0x1p24f;
    const auto whole = static_cast<uint32_t>(units);
    const float rest = units - static_cast<float>(whole);
    const bool up = rest > 0.5f || (rest == 0.5f && (whole & 1));
    return static_cast<uint16_t>(sign | (whole + up));
  }
  const uint32_t rounded = magnitude + 0xFFF + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000) >> 13));
}

float from_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = half & 0x7FFF;
  if (magnitude >= 0x7C00)
    return std::bit_cast<float>(sign | 0x7F800000 | ((magnitude & 0x3FF) << 13));
  if (magnitude < 0x400) {
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign ? -value : value;
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000));
}

float dot_plain(std::span<const float> query, const uint16_t* row) {
  float sum = 0;
  for (size_t i = 0; i < query.size(); ++i) sum += query[i] * from_half(row[i]);
  return sum;
}

float dot(std::span<const float> query, const uint16_t* row) {
  static const Dot chosen = best_dot();
  return chosen(query, row);
}

std::vector<Neighbour> nearest(std::span<const float> query, std::span<const uint16_t> rows,
                               size_t most, int threads) {
  const size_t count = query.empty() ? 0 : rows.size() / query.size();
  constexpr size_t kLeastRows = 4096;  // below, starting a thread costs more than it saves
  const size_t parts =
      std::clamp<size_t>(count / kLeastRows, 1, static_cast<size_t>(std::max(threads, 1)));
  std::vector<Best> best(parts, Best(most));
  const auto scan = [&](size_t part) {
    for (size_t row = count * part / parts; row < count * (part + 1) / parts; ++row)
      best[part].add({row, dot(query, rows.data() + row * query.size())});
  };
  {
    std::vector<std::jthread> others;
    for (size_t part = 1; part < parts; ++part) others.emplace_back(scan, part);
    scan(0);
  }
  std::vector<Neighbour> found;
  for (const Best& part : best) found.insert(found.end(), part.found().begin(), part.found().end());
  std::sort(found.begin(), found.end(), better);
  if (found.size() > most) found.resize(most);
  return found;
}

}  // namespace prismvid::search

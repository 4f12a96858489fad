#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace prismvid::search {

/// IEEE 754 half precision, rounded to nearest even; values of length-1 vectors lose less than
/// 0.05 %.
uint16_t to_half(float value);
float from_half(uint16_t half);

/// Inner product of a vector with a row of halves, both of query.size(). The plain form is the
/// definition; the other uses AVX-512 or AVX2 with F16C where the CPU has them.
float dot_plain(std::span<const float> query, const uint16_t* row);
float dot(std::span<const float> query, const uint16_t* row);

struct Neighbour {
  size_t row = 0;
  float score = 0;  // inner product; the cosine for vectors of length 1
};

/// The `most` rows with the largest inner products, best first, by looking at every row. `rows` are
/// row-major, of query.size() each; `threads` share them.
std::vector<Neighbour> nearest(std::span<const float> query, std::span<const uint16_t> rows,
                               size_t most, int threads);

}  // namespace prismvid::search

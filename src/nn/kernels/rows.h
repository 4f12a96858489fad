#pragma once

#include <cstddef>

#include "nn/kernels/number.h"

namespace prismvid::nn::kernels {

/// Rows of numbers; borrowed. `stride` is the distance of two rows in numbers.
struct ConstRows {
  const void* data;
  NumberType type;
  int rows;
  int columns;
  std::size_t stride;
};

struct Rows {
  void* data;
  NumberType type;
  int rows;
  int columns;
  std::size_t stride;
};

inline const void* at_row(const ConstRows& rows, int row) {
  return static_cast<const char*>(rows.data) + row * rows.stride * byte_size(rows.type);
}
inline void* at_row(const Rows& rows, int row) {
  return static_cast<char*>(rows.data) + row * rows.stride * byte_size(rows.type);
}

/// `count` rows from `first`.
inline ConstRows slice(const ConstRows& rows, int first, int count) {
  return {at_row(rows, first), rows.type, count, rows.columns, rows.stride};
}
inline Rows slice(const Rows& rows, int first, int count) {
  return {at_row(rows, first), rows.type, count, rows.columns, rows.stride};
}

/// `count` columns of all rows from `first`.
inline Rows columns(const Rows& rows, int first, int count) {
  return {static_cast<char*>(rows.data) + first * byte_size(rows.type), rows.type, rows.rows, count,
          rows.stride};
}

inline ConstRows read(const Rows& rows) {
  return {rows.data, rows.type, rows.rows, rows.columns, rows.stride};
}

}  // namespace prismvid::nn::kernels

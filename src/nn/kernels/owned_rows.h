#pragma once

#include <cstdint>
#include <memory>

#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// Rows of numbers side by side with their memory, whose numbers begin as anything.
class OwnedRows {
 public:
  OwnedRows(NumberType type, int rows, int columns)
      : memory_(std::make_unique_for_overwrite<std::uint8_t[]>(std::size_t(rows) * columns *
                                                               byte_size(type))),
        rows_{memory_.get(), type, rows, columns, static_cast<std::size_t>(columns)} {}

  const Rows& rows() const { return rows_; }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  Rows rows_;
};

}  // namespace prismvid::nn::kernels

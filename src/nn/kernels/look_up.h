#pragma once

#include <cstdint>
#include <span>

#include "nn/kernels/dense_linear.h"
#include "nn/kernels/packed_matrix.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// output[i] = row ids[i] of the matrix: an embedding's vectors. `ids` lie in [0, rows).
void look_up(const Context& context, const PackedMatrix& matrix, std::span<const std::int32_t> ids,
             const Rows& output);
void look_up(const Context& context, const DenseMatrix& matrix, std::span<const std::int32_t> ids,
             const Rows& output);

}  // namespace prismvid::nn::kernels

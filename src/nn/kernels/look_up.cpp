#include "nn/kernels/look_up.h"

#include <vector>

#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {

void look_up(const Context& context, const PackedMatrix& matrix, std::span<const std::int32_t> ids,
             const Rows& output) {
  const PackedBlocks blocks = matrix.packed_blocks();
  context.pool.parallel_for(output.rows, [&](int i) {
    std::vector<float> weights(matrix.columns());
    dequantize_packed_row(blocks, ids[i], weights.data());
    for (int k = 0; k < matrix.columns(); ++k)
      store_number(at_row(output, i), output.type, k, weights[k]);
  });
}

void look_up(const Context& context, const DenseMatrix& matrix, std::span<const std::int32_t> ids,
             const Rows& output) {
  const DenseBlocks blocks = matrix.blocks();
  context.pool.parallel_for(output.rows, [&](int i) {
    for (int k = 0; k < matrix.columns(); ++k)
      store_number(at_row(output, i), output.type, k,
                   load_number(blocks.data, blocks.type,
                               dense_index(blocks.type, blocks.columns, ids[i], k)));
  });
}

}  // namespace prismvid::nn::kernels

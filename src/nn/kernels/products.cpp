#include "nn/kernels/products.h"

#include <algorithm>
#include <vector>

#include "nn/kernels/aligned_memory.h"
#include "nn/kernels/linear_rounds.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

int blocks_of(const PackedBlocks& matrix) {
  return (matrix.rows + kBlockRows - 1) / kBlockRows;
}

/// Up to kMaxTokens rows of an input, as the products need them.
struct Stretch {
  ConstRows input;
  int group_size;
  std::size_t at;  // in the prepared bytes
  LinearKernels kernels;
};

struct Task {
  const Product* product;
  std::size_t stretch;
  int first_row;
  int first_block, last_block;
};

class Plan {
 public:
  Plan(const Context& context, std::span<const Product> products, Precision precision)
      : context_(context), precision_(precision) {
    int blocks = 0;
    for (const Product& product : products) blocks += blocks_of(product.matrix);
    const int per_task = blocks_per_task(blocks, context.pool.threads(), kTasksPerThread);
    for (const Product& product : products)
      for (int first = 0; first < product.input.rows; first += kMaxTokens) {
        const int rows = std::min(kMaxTokens, product.input.rows - first);
        const std::size_t stretch = stretch_of(slice(product.input, first, rows), product.matrix);
        for (int block = 0; block < blocks_of(product.matrix); block += per_task)
          tasks_.push_back({&product, stretch, first, block,
                            std::min(block + per_task, blocks_of(product.matrix))});
      }
    // 64 spare bytes: vector loads of the last scales may read beyond them.
    prepared_ = allocate_scratch(bytes_ + 64);
  }

  void run() const {
    context_.pool.parallel_for(static_cast<int>(tiles_.size()), [&](int i) {
      const auto [stretch, tile] = tiles_[i];
      prepare(stretches_[stretch], tile);
    });
    context_.pool.parallel_for(static_cast<int>(tasks_.size()),
                               [&](int i) { multiply(tasks_[i]); });
  }

 private:
  /// The same input is made ready once for all products.
  std::size_t stretch_of(const ConstRows& input, const PackedBlocks& matrix) {
    const LinearKernels kernels =
        linear_kernels(context_.table, precision_, input.type, input.rows, matrix.bits);
    for (std::size_t i = 0; i < stretches_.size(); ++i)
      if (stretches_[i].input.data == input.data && stretches_[i].input.rows == input.rows &&
          stretches_[i].group_size == matrix.group_size &&
          stretches_[i].kernels.multiply == kernels.multiply)
        return i;
    const int tile = kernels.prepare.tile, tiles = (input.rows + tile - 1) / tile;
    for (int i = 0; i < tiles; ++i) tiles_.emplace_back(stretches_.size(), i);
    stretches_.push_back({input, matrix.group_size, bytes_, kernels});
    bytes_ += tiles * prepared_bytes(tile, input.columns, matrix.group_size);
    return stretches_.size() - 1;
  }

  void prepare(const Stretch& stretch, int tile) const {
    const ConstRows& input = stretch.input;
    const Prepare& prepare = stretch.kernels.prepare;
    const int first = tile * prepare.tile;
    prepare.run(
        {.input = at_row(input, first),
         .input_type = input.type,
         .input_stride = input.stride,
         .tokens = std::min(prepare.tile, input.rows - first),
         .columns = input.columns,
         .group_size = stretch.group_size,
         .prepared = prepared_.get() + stretch.at +
                     tile * prepared_bytes(prepare.tile, input.columns, stretch.group_size)});
  }

  void multiply(const Task& task) const {
    const Stretch& stretch = stretches_[task.stretch];
    stretch.kernels.multiply(
        arguments_of(task.product->matrix, task.product->bias,
                     {.first_block = task.first_block,
                      .last_block = task.last_block,
                      .prepared = prepared_.get() + stretch.at,
                      .addend = kNoAddend,
                      .output = slice(task.product->output, task.first_row, stretch.input.rows)}));
  }

  const Context& context_;
  Precision precision_;
  std::vector<Stretch> stretches_;
  std::vector<std::pair<std::size_t, int>> tiles_;  // stretch, tile
  std::vector<Task> tasks_;
  std::size_t bytes_ = 0;
  Scratch prepared_;
};

}  // namespace

void multiply_all(const Context& context, std::span<const Product> products, Precision precision) {
  for (const Product& p : products)
    check_fits("products", p.matrix.rows, p.matrix.columns, p.input, p.output);
  Plan(context, products, precision).run();
}

}  // namespace prismvid::nn::kernels

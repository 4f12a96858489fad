#pragma once

#include <memory>
#include <optional>

#include "nn/kernels/attention.h"
#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"
#include "nn/mlx.h"

namespace prismvid::nn {

/// How the project's own kernels work on a CPU.
struct KernelOptions {
  int threads = 0;       // 0: all this process may use
  bool precise = false;  // never round activations to 8 bits
};

/// The instruction set and threads that all layers of a model share. Immutable.
class KernelRuntime {
 public:
  /// Throws Error(kInvalidArgument) for a negative number of threads or a wrong PRISMVID_ISA.
  explicit KernelRuntime(const KernelOptions& options);

  kernels::Context context() const { return {*table_, *pool_}; }
  kernels::ThreadPool& pool() const { return *pool_; }

  /// int8 for half precision, which has no more to lose, unless told otherwise; float32 for
  /// float32.
  kernels::Precision precision(kernels::NumberType activations) const;

 private:
  std::unique_ptr<kernels::ThreadPool> pool_;
  const kernels::KernelTable* table_;
  bool precise_;
};

/// Null: MLX's own operations.
using SharedKernels = std::shared_ptr<const KernelRuntime>;

/// nullopt for what the kernels do not read.
std::optional<kernels::NumberType> number_type(mx::Dtype dtype);

/// A row-contiguous array whose numbers are still to be written.
mx::array uninitialized_array(const mx::Shape& shape, mx::Dtype dtype);

/// A row-contiguous array's last axis as rows.
kernels::ConstRows rows_of(const mx::array& x);
kernels::Rows writable_rows_of(mx::array& x);

/// Entry `index` of (batch, heads, tokens, head_dim), whose last axis is dense.
kernels::ConstHeads heads_of(const mx::array& x, int index);

}  // namespace prismvid::nn

#pragma once

#include "nn/kernels/kernel_table.h"
#include "nn/kernels/thread_pool.h"

namespace prismvid::nn::kernels {

/// What every kernel call needs: the functions of the chosen level and the threads to run on.
struct Context {
  const KernelTable& table;
  ThreadPool& pool;
};

}  // namespace prismvid::nn::kernels

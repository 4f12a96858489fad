#pragma once

#include "nn/cuda/driver.h"
#include "nn/cuda/expert_arguments.h"

namespace prismvid::cuda {

/// How the matrices of all experts are packed, and what a token takes of them.
struct ExpertPacking {
  int bits = 0, group = 0;
  int width = 0, inner = 0;  // gate and up: (experts, inner, width); down: (experts, width, inner)
  int experts = 0, chosen = 0;
};

/// Whether there are kernels for such experts on this device.
bool has_experts(const ExpertPacking& packing);

/// Starts one of the two products, which must fit (has_experts()). kMixed must follow kGated with
/// the same scores, and kGated the kernel that makes the scores, with none between.
void multiply_experts(ExpertPart part, int bits, const ExpertArguments& arguments, int tokens,
                      CUstream stream);

}  // namespace prismvid::cuda

#pragma once

#include <cstdint>
#include <functional>

#include "nn/kernels/context.h"
#include "nn/kernels/rows.h"

namespace prismvid::nn::kernels {

/// Some blocks of a matrix times up to kMaxTokens prepared tokens.
struct LinearTask {
  int first_block, last_block;
  const std::uint8_t* prepared;
  Addend addend;
  Rows output;
};

/// Divides a product into rounds of up to kMaxTokens tokens, makes each round's activations ready
/// with `prepare`, and calls `multiply` for all blocks of 16 rows on all threads. `addend`: of the
/// output's shape, or null.
void run_linear(const Context& context, const ConstRows& input, const ConstRows* addend,
                const Rows& output, int group_size, const Prepare& prepare,
                const std::function<void(const LinearTask&)>& multiply);

}  // namespace prismvid::nn::kernels

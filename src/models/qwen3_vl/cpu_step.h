#pragma once

#include <vector>

#include "models/qwen3_vl/language_model.h"

namespace prismvid::qwen3_vl {

/// Tokens that step_on_cpu() takes; more pay for the graph that prompts go through.
constexpr int kMostTokensOfCpuStep = 32;

/// Whether the CPU's kernels have all that step_on_cpu() needs for this model.
bool can_step_on_cpu(const LanguageModel& model);

/// Runs text tokens `ids` at `positions` through all layers on the calling thread and the kernels'
/// pool, without a graph of MLX, whose nodes cost as much as small products: hidden states behind
/// the last norm (1, tokens, hidden). The tokens are those of `parts`, one part behind the other,
/// each behind tokens that it has already, kept in 16 bits or more.
mx::array step_on_cpu(const LanguageModel& model, const TextConfig& config,
                      const std::vector<int>& ids, const std::vector<int>& positions,
                      const std::vector<SequencePart>& parts);

}  // namespace prismvid::qwen3_vl

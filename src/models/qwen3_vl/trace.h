#pragma once

#include <functional>
#include <string>

#include "nn/mlx.h"

namespace prismvid::qwen3_vl {

/// Sees the hidden states between stages, to compare them with the reference. Empty in normal use.
using Trace = std::function<void(const std::string& stage, const mx::array& value)>;

inline void report(const Trace& trace, const std::string& stage, const mx::array& value) {
  if (trace) trace(stage, value);
}

}  // namespace prismvid::qwen3_vl

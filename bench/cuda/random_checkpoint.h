#pragma once

#include <filesystem>
#include <string>

#include "models/qwen3_vl/model.h"

namespace prismvid::bench {

/// Of a checkpoint of Qwen3-VL; heads have 128 channels, the tower 16 heads.
struct CheckpointShape {
  int hidden, inner, layers, heads, key_value_heads;
  int vision_hidden, vision_inner, vision_depth;  // depth 0: no tower
  int vocabulary = 151936;
  int experts = 0, experts_per_token = 0;  // 0: dense; else `inner` is that of one expert
};

/// "2b", "8b" or "30b-a3b", as Qwen3-VL of that name. Throws Error(kInvalidArgument) for another
/// name.
CheckpointShape named_shape(const std::string& name);

/// Writes config.json and weights that follow from the shape alone to a folder that is there: text
/// in `bits` and groups of 64, or bfloat16 (16); the tower in bfloat16.
void write_random_checkpoint(const std::filesystem::path& folder, const CheckpointShape& shape,
                             int bits);

/// A sequence behind a prompt, with random keys and values in its place: decoding without what runs
/// prompts. `dtype`: of the model's numbers.
qwen3_vl::Sequence random_context(const qwen3_vl::Model& model, const qwen3_vl::Prompt& prompt,
                                  int seed, mx::Dtype dtype = mx::bfloat16);

}  // namespace prismvid::bench

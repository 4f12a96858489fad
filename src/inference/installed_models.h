#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace prismvid::inference {

/// Name of the largest Qwen3-VL in the Hugging Face cache whose weights leave half of this
/// machine's memory free; empty when there is none.
std::string largest_fitting_model();

/// Size of a checkpoint's weights.
uint64_t weight_bytes(const std::filesystem::path& folder);

}  // namespace prismvid::inference

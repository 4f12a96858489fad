#pragma once

#include <memory>
#include <string>

#include "deep/model.h"

// Qwen3-VL behind deep/model.h. Inside deep only.
namespace prismvid::deep {

ModelChoice inspect_qwen_model(const std::string& name, int kv_bits);
std::unique_ptr<Model> open_qwen_model(const ModelChoice& choice);
/// The largest of the Hugging Face cache that fits; empty when there is none.
std::string find_qwen_model();

}  // namespace prismvid::deep

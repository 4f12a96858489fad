#pragma once

#include <memory>
#include <string>

#include "deep/model.h"

// Qwen3-VL behind deep/model.h. Inside deep only.
namespace prismvid::deep {

ModelChoice inspect_qwen_model(const std::string& name, int kv_bits);
/// `kept`: as of InstalledModels.
std::unique_ptr<Model> open_qwen_model(const ModelChoice& choice, std::shared_ptr<FileCache> kept);
/// As model_stamp(), of a folder or a name in the Hugging Face cache.
std::string stamp_of_qwen_model(const std::string& name);
/// The largest of the Hugging Face cache that fits; empty when there is none.
std::string find_qwen_model();

}  // namespace prismvid::deep

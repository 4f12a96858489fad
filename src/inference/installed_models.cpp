#include "inference/installed_models.h"

#include <cstdint>
#include <filesystem>

#include "core/error.h"
#include "core/memory.h"
#include "inference/vision_language_model.h"
#include "models/qwen3_vl/config.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

/// "models--owner--name" as "owner/name", empty for anything else.
std::string name_of(const fs::path& repository) {
  const std::string folder = repository.filename().string(), prefix = "models--";
  const size_t dashes = folder.find("--", prefix.size());
  if (!folder.starts_with(prefix) || dashes == std::string::npos) return {};
  return folder.substr(prefix.size(), dashes - prefix.size()) + "/" + folder.substr(dashes + 2);
}

bool is_qwen3_vl(const fs::path& folder) {
  const auto config = qwen3_vl::read_json(folder / "config.json");
  return config && config->value("model_type", std::string()).starts_with("qwen3_vl");
}

}  // namespace

uint64_t weight_bytes(const fs::path& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") bytes += entry.file_size();
  return bytes;
}

std::string largest_fitting_model() {
  const uint64_t memory = machine_memory_bytes();
  std::string best;
  uint64_t most = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(hub_folder(), error)) {
    const std::string name = name_of(entry.path());
    if (name.empty()) continue;
    try {
      const fs::path folder = find_model(name);
      const uint64_t bytes = weight_bytes(folder);
      if (!is_qwen3_vl(folder) || bytes <= most || bytes > memory / 2) continue;
      most = bytes;
      best = name;
    } catch (const Error&) {  // half a download or a damaged file is no installed model
      continue;
    }
  }
  return best;
}

}  // namespace prismvid::inference

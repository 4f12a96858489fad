#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "deep/model.h"

#ifdef PRISMVID_MLX
#include "deep/qwen_model.h"
#endif

namespace prismvid::deep {
namespace {

#ifndef PRISMVID_MLX
[[noreturn]] void no_mlx() {
  fail(ErrorCode::kUnavailable,
       "this PrismVid was built without MLX: build it with -DPRISMVID_MLX=ON for the deep stage");
}
ModelChoice inspect_qwen_model(const std::string&, int) {
  no_mlx();
}
std::unique_ptr<Model> open_qwen_model(const ModelChoice&, std::shared_ptr<FileCache>) {
  no_mlx();
}
std::string stamp_of_qwen_model(const std::string&) {
  no_mlx();
}
std::string find_qwen_model() {
  no_mlx();
}
#endif

std::string installed_model() {
  const char* named = std::getenv("PRISMVID_DEEP_MODEL");
  const std::string name = named != nullptr && *named != '\0' ? named : find_qwen_model();
  check(!name.empty(), ErrorCode::kNotFound,
        "no deep model is installed that fits into this machine's memory: get one with 'prismvid "
        "models pull mlx-community/Qwen3-VL-4B-Instruct-4bit', or name a folder with --model");
  return name;
}

}  // namespace

ModelChoice InstalledModels::choose(const std::string& name) {
  return inspect_qwen_model(name.empty() ? installed_model() : name, kv_bits_);
}

std::string InstalledModels::stamp(const std::string& name) {
  return stamp_of_qwen_model(name.empty() ? installed_model() : name);
}

uint64_t InstalledModels::bytes_to_open(const ModelChoice& choice) {
  if (!open_) return ModelProvider::bytes_to_open(choice);
  if (open_sha256_ == choice.card.sha256) return 0;
  // open() gives up the one that is loaded.
  return ModelProvider::bytes_to_open(choice) - std::min(open_bytes_, choice.weight_bytes);
}

bool InstalledModels::is_other_held(const ModelChoice& choice) const {
  return open_ && open_sha256_ != choice.card.sha256 && open_.use_count() > 1;
}

std::shared_ptr<Model> InstalledModels::open(const ModelChoice& choice) {
  if (open_ && open_sha256_ == choice.card.sha256) return open_;
  open_.reset();  // two at once may not fit
  open_ = open_qwen_model(choice, kept_);
  open_sha256_ = choice.card.sha256;
  open_bytes_ = choice.weight_bytes;
  return open_;
}

}  // namespace prismvid::deep

#pragma once

#include <filesystem>
#include <string>

namespace prismvid::inference {

// The Hugging Face hub and its cache on this machine, by the environment variables that
// huggingface_hub reads.

/// HF_HUB_CACHE (HUGGINGFACE_HUB_CACHE), or hub in HF_HOME, or huggingface/hub in XDG_CACHE_HOME or
/// ~/.cache.
std::filesystem::path hub_folder();

/// HF_ENDPOINT or https://huggingface.co, without a slash at its end.
std::string hub_endpoint();

/// HF_TOKEN (HUGGING_FACE_HUB_TOKEN), or what the file HF_TOKEN_PATH or token in HF_HOME holds;
/// empty for none. HF_HUB_DISABLE_IMPLICIT_TOKEN switches it off. Throws Error(kInvalidArgument)
/// for one that cannot stand in a header.
std::string hub_token();

/// HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is 1, ON, YES or TRUE.
bool hub_is_offline();

/// Folder of a repository in the cache: "org/name" is models--org--name.
std::filesystem::path hub_repository(const std::filesystem::path& hub, const std::string& name);

/// The snapshot of a name in the cache, empty where there is none.
std::filesystem::path hub_snapshot(const std::string& name, const std::string& revision = "main");

/// The folder of `model`: itself, or the snapshot of a name in the cache. Throws Error(kNotFound)
/// saying how to get it.
std::filesystem::path find_model(const std::string& model);

}  // namespace prismvid::inference

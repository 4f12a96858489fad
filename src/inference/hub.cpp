#include "inference/hub.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <optional>

#include "core/error.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

// The first of the variables that is set and not empty.
std::optional<std::string> variable(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return std::nullopt;
}

fs::path expanded(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return fs::path(variable({"HOME"}).value_or("/")) / path.substr(std::min<size_t>(2, path.size()));
}

fs::path hub_home() {
  if (const auto home = variable({"HF_HOME"})) return expanded(*home);
  if (const auto cache = variable({"XDG_CACHE_HOME"})) return expanded(*cache) / "huggingface";
  return expanded("~/.cache/huggingface");
}

bool is_on(const char* name) {
  std::string value = variable({name}).value_or("");
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

// The first word of a small file.
std::string first_word(const fs::path& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

bool is_name(const std::string& model) {
  const size_t slash = model.find('/');
  return slash != std::string::npos && slash > 0 && slash + 1 < model.size() &&
         model.find('/', slash + 1) == std::string::npos && model[0] != '.';
}

}  // namespace

fs::path hub_folder() {
  if (const auto cache = variable({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}))
    return expanded(*cache);
  return hub_home() / "hub";
}

std::string hub_endpoint() {
  std::string endpoint = variable({"HF_ENDPOINT"}).value_or("https://huggingface.co");
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint;
}

std::string hub_token() {
  std::string token;
  if (const auto given = variable({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})) {
    token = *given;
  } else if (!is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
    const auto path = variable({"HF_TOKEN_PATH"});
    token = first_word(path ? expanded(*path) : hub_home() / "token");
  }
  const auto is_blank = [](char c) { return c == '\n' || c == '\r' || c == ' '; };
  while (!token.empty() && is_blank(token.back())) token.pop_back();
  check(std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; }),
        ErrorCode::kInvalidArgument, "HF_TOKEN holds characters that no token has");
  return token;
}

bool hub_is_offline() {
  return is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE");
}

fs::path hub_repository(const fs::path& hub, const std::string& name) {
  const size_t slash = name.find('/');
  return hub / ("models--" + name.substr(0, slash) + "--" + name.substr(slash + 1));
}

fs::path hub_snapshot(const std::string& name, const std::string& revision) {
  if (!is_name(name)) return {};
  const fs::path repository = hub_repository(hub_folder(), name);
  const std::string commit = first_word(repository / "refs" / revision);
  for (const std::string& folder : {commit, revision})
    if (!folder.empty() && fs::is_directory(repository / "snapshots" / folder))
      return repository / "snapshots" / folder;
  return {};
}

fs::path find_model(const std::string& model) {
  if (fs::is_directory(model)) return model;
  fs::path snapshot = hub_snapshot(model);
  check(!snapshot.empty() || is_name(model), ErrorCode::kNotFound, "no folder ", model,
        "; name a folder that is there, or get a model by name: 'prismvid models pull "
        "mlx-community/Qwen3-VL-2B-Instruct-4bit'");
  check(!snapshot.empty(), ErrorCode::kNotFound, "no model ", model,
        ": neither a folder nor a model in ", hub_folder().string(),
        "; get it with 'prismvid models pull ", model, "'");
  return snapshot;
}

}  // namespace prismvid::inference

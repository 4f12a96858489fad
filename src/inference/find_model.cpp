#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>

#include "core/error.h"
#include "inference/vision_language_model.h"

namespace prismvid::inference {
namespace {

namespace fs = std::filesystem;

// The commit that a repository's branch main stands at; empty when there is none.
std::string main_revision(const fs::path& repository) {
  std::ifstream in(repository / "refs" / "main");
  std::string revision;
  in >> revision;
  return revision;
}

}  // namespace

fs::path hub_folder() {
  const auto variable = [](const char* name) -> std::optional<fs::path> {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? std::optional<fs::path>(value) : std::nullopt;
  };
  const fs::path home =
      variable("HF_HOME").value_or(variable("HOME").value_or("/") / ".cache" / "huggingface");
  return variable("HF_HUB_CACHE").value_or(home / "hub");
}

fs::path find_model(const std::string& model) {
  if (fs::is_directory(model)) return model;
  const fs::path hub = hub_folder();
  const size_t slash = model.find('/');
  if (slash != std::string::npos && model.find('/', slash + 1) == std::string::npos &&
      model[0] != '.') {
    const fs::path repository =
        hub / ("models--" + model.substr(0, slash) + "--" + model.substr(slash + 1));
    const std::string revision = main_revision(repository);
    if (!revision.empty() && fs::is_directory(repository / "snapshots" / revision))
      return repository / "snapshots" / revision;
  }
  fail(ErrorCode::kNotFound, "no model ", model, ": neither a folder nor a model in ", hub.string(),
       "; get it with 'prismvid models pull ", model, "'");
}

}  // namespace prismvid::inference

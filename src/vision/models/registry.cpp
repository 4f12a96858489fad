#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/sha256.h"
#include "vision/models/manifest.h"
#include "vision/models/verified_files.h"

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;

fs::path program_folder() {
  std::error_code error;
#ifdef __APPLE__
  std::string path(4096, '\0');
  auto size = static_cast<uint32_t>(path.size());
  if (_NSGetExecutablePath(path.data(), &size) != 0) return {};
  return fs::weakly_canonical(path.c_str(), error).parent_path();
#else
  return fs::read_symlink("/proc/self/exe", error).parent_path();
#endif
}

fs::path user_models_folder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data)
    return fs::path(data) / "prismvid/models";
  if (const char* home = std::getenv("HOME"); home && *home)
    return fs::path(home) / ".local/share/prismvid/models";
  return {};
}

}  // namespace

std::string ModelManifest::content_hash() const {
  Sha256 hash;
  for (const ModelFile& file : files) hash.update(file.sha256);
  hash.update(parameters->dump());
  return hash.hex();
}

bool ModelManifest::is_demonstration() const { return parameters->value("demonstration", false); }

ModelRegistry::ModelRegistry(std::vector<fs::path> folders) {
  for (const fs::path& folder : folders) add_folder(folder);
  if (!folders.empty()) install_folder_ = folders.front();
}

void ModelRegistry::add_folder(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    // Hidden folders are installations under way.
    if (path.filename().string().front() != '.' && fs::exists(path / "manifest.json", ignored))
      found.push_back(path);
  }
  std::sort(found.begin(), found.end());
  for (const fs::path& model : found) {
    try {
      ModelManifest manifest = read_manifest(model);
      auto same_id = [&](const ModelManifest& other) { return other.id == manifest.id; };
      if (std::none_of(models_.begin(), models_.end(), same_id))
        models_.push_back(std::move(manifest));
    } catch (const Error& problem) {
      problems_.push_back(problem.what());
    }
  }
}

ModelRegistry ModelRegistry::standard(const fs::path& override_folder) {
  if (!override_folder.empty()) return ModelRegistry({override_folder});
  if (const char* folder = std::getenv("PRISMVID_MODELS"); folder && *folder)
    return ModelRegistry({fs::path(folder)});
  std::vector<fs::path> folders;
  if (const fs::path user = user_models_folder(); !user.empty()) folders.push_back(user);
  if (const fs::path program = program_folder(); !program.empty()) {
    folders.push_back(program.parent_path() / "models");
    folders.push_back(program.parent_path() / "share/prismvid/models");
  }
  return ModelRegistry(folders);
}

std::optional<ModelManifest> ModelRegistry::find(const std::string& task,
                                                 const std::string& id) const {
  auto fits = [&](const ModelManifest& model) {
    return model.task == task && (id.empty() ? !model.is_demonstration() : model.id == id);
  };
  const auto found = std::find_if(models_.begin(), models_.end(), fits);
  return found == models_.end() ? std::nullopt : std::optional(*found);
}

ModelManifest ModelRegistry::require(const std::string& task, const std::string& id) const {
  std::optional<ModelManifest> model = find(task, id);
  check(model.has_value(), ErrorCode::kModel, "no ", id.empty() ? "" : "'" + id + "' ", task,
        " model is installed: run 'prismvid models' to see what there is and 'prismvid models "
        "install' to add one");
  const std::string problem = wrong_file(*model, true);
  check(problem.empty(), ErrorCode::kModel, "model '", model->id, "': ", problem,
        "; install it again with 'prismvid "
        "models install ",
        model->id, "', or delete '", model->folder.string(),
        "' and run 'make setup' where it came with PrismVid");
  return *model;
}

}  // namespace prismvid::vision

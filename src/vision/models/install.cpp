#include "vision/models/install.h"

#include <unistd.h>

#include <fstream>

#include "core/error.h"
#include "core/sha256.h"
#include "vision/models/catalogue.h"
#include "vision/models/manifest_json.h"
#include "vision/models/verified_files.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;

/// A hidden folder that is gone at the end unless it became the model's folder.
class Staging {
 public:
  Staging(const fs::path& models, const std::string& id)
      : target_(models / id),
        folder_(models / (".install-" + id + "-" + std::to_string(getpid()))) {
    std::error_code error;
    fs::remove_all(folder_, error);
    fs::create_directories(folder_, error);
    check(!error, ErrorCode::kUnavailable, "cannot make '", folder_.string(),
          "': ", error.message());
  }
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const fs::path& folder() const { return folder_; }

  /// Puts the folder in the model's place; what was there goes only when the new one is complete.
  void commit() {
    const fs::path old = folder_.string() + "-old";
    std::error_code error;
    if (fs::exists(target_)) fs::rename(target_, old, error);
    if (!error) fs::rename(folder_, target_, error);
    if (error && fs::exists(old)) {
      std::error_code ignored;
      fs::rename(old, target_, ignored);
    }
    check(!error, ErrorCode::kUnavailable, "cannot put the model at '", target_.string(),
          "': ", error.message());
    fs::remove_all(old, error);
  }

 private:
  fs::path target_;
  fs::path folder_;
};

ModelManifest manifest_of(const std::string& source) {
  std::error_code error;
  const fs::path path(source);
  if (fs::is_directory(path, error)) return read_manifest(path);
  if (fs::is_regular_file(path, error)) {
    check(path.extension() == ".json", ErrorCode::kModel, "'", source,
          "' is no manifest: give a folder with a "
          "manifest.json, or an .onnx file with --decoder and --classes");
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    return parse_manifest(read_small_file(path, 4 << 20), folder);
  }
  std::optional<ModelManifest> known = find_in_catalogue(source);
  std::string ids;
  for (const ModelManifest& model : model_catalogue()) ids += (ids.empty() ? "" : ", ") + model.id;
  check(known.has_value(), ErrorCode::kNotFound, "'", source,
        "' is neither a folder nor a manifest nor one of the known "
        "models: ",
        ids);
  return *known;
}

void apply(const InstallOptions& options, ModelManifest& manifest) {
  check((options.url.empty() && options.sha256.empty()) || manifest.files.size() == 1,
        ErrorCode::kInvalidArgument, "--url and --sha256 are for models of one file, '",
        manifest.id, "' has ", manifest.files.size());
  check(options.sha256.empty() || is_sha256(options.sha256), ErrorCode::kInvalidArgument,
        "--sha256 must be 64 lower-case hexadecimal digits, got '", options.sha256, "'");
  ModelFile& first = manifest.files.front();
  if (!options.url.empty()) first.url = options.url;
  check(options.sha256.empty() || first.sha256.empty() || first.sha256 == options.sha256,
        ErrorCode::kInvalidArgument, "--sha256 is ", options.sha256, ", but the manifest of '",
        manifest.id, "' says ", first.sha256);
  if (!options.sha256.empty()) first.sha256 = options.sha256;
  for (const ModelFile& file : manifest.files)
    check(!file.sha256.empty() || options.trust, ErrorCode::kModel,
          "nobody we could ask states the checksum of '", file.name,
          "' (unverified): give it with --sha256, or take the file as it comes with --trust");
}

/// Broken-off downloads are kept by what they should become, so that another address goes on with
/// them only when a checksum tells in the end.
fs::path download_place(const fs::path& models, const ModelFile& file) {
  const std::string key = file.sha256.empty() ? sha256_hex(file.url) : file.sha256;
  return models / (".download-" + key.substr(0, 16));
}

void fetch(const ModelManifest& manifest, const ModelFile& file, const fs::path& models,
           const fs::path& target, const InstallOptions& options) {
  std::error_code error;
  const fs::path beside = manifest.folder / file.name;
  if (options.url.empty() && fs::is_regular_file(beside, error)) {
    fs::copy_file(beside, target, error);
    check(!error, ErrorCode::kUnavailable, "cannot copy '", beside.string(),
          "': ", error.message());
    return;
  }
  check(!file.url.empty(), ErrorCode::kModel, "'", beside.string(),
        "' does not exist and the manifest of '", manifest.id,
        "' has no address to fetch it from: put the file there or give --url");
  const fs::path place = download_place(models, file);
  download(file.url, place, options.transfer);
  fs::rename(place, target, error);
  check(!error, ErrorCode::kUnavailable, "cannot write '", target.string(), "': ", error.message());
}

void verify(const fs::path& path, ModelFile& file, std::stop_token stop) {
  const std::string actual = sha256_file(path, stop);
  if (file.sha256.empty()) file.sha256 = actual;
  check(actual == file.sha256, ErrorCode::kModel, "'", file.name, "' has sha256 ", actual,
        ", expected ", file.sha256,
        ": the file is damaged or another version; nothing was installed");
}

void write_manifest(const ModelManifest& manifest, const fs::path& file) {
  std::ofstream stream(file, std::ios::binary);
  stream << manifest_text(manifest);
  check(static_cast<bool>(stream.flush()), ErrorCode::kUnavailable, "cannot write '", file.string(),
        "'");
}

}  // namespace

ModelManifest install_model(const ModelRegistry& registry, const std::string& source,
                            const InstallOptions& options) {
  return install_manifest(registry, manifest_of(source), options);
}

ModelManifest install_manifest(const ModelRegistry& registry, ModelManifest manifest,
                               const InstallOptions& options) {
  const fs::path& models = registry.install_folder();
  check(!models.empty(), ErrorCode::kUnavailable,
        "there is no folder to install models in: give one with --models");
  apply(options, manifest);
  Staging staging(models, manifest.id);
  for (ModelFile& file : manifest.files) {
    const fs::path target = staging.folder() / file.name;
    fetch(manifest, file, models, target, options);
    verify(target, file, options.transfer.stop);
  }
  write_manifest(manifest, staging.folder() / "manifest.json");
  staging.commit();
  manifest.folder = models / manifest.id;
  return manifest;
}

std::vector<ModelCheck> check_models(const ModelRegistry& registry) {
  std::vector<ModelCheck> checks;
  for (const ModelManifest& model : registry.models())
    checks.push_back({model, wrong_file(model, false)});
  return checks;
}

}  // namespace prismvid::vision

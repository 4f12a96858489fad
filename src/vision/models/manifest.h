#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace prismvid::vision {

/// One file of a model with its checksum.
struct ModelFile {
  std::string name;  // relative to the manifest's folder
  std::string sha256;
  std::string url;  // upstream address, empty when the file comes from a package
};

/// What a model is, read from `manifest.json` in its folder (docs/models.md describes the fields).
struct ModelManifest {
  std::string id;
  std::string task;  // "object_detection", "text_detection", "face_embedding", ...
  std::string version;
  std::string licence;
  std::string source;  // package or project it comes from
  std::vector<ModelFile> files;
  std::filesystem::path folder;
  std::shared_ptr<const nlohmann::json>
      parameters;  // the task's own part: input, decoder, classes, thresholds

  /// Path of file `index`; its checksum was verified by ModelRegistry::require.
  std::filesystem::path path(size_t index = 0) const { return folder / files.at(index).name; }
  /// Identifies the weights in cache keys: hash over the checksums of all files and the parameters.
  std::string content_hash() const;
  /// It knows a made-up world only (parameter "demonstration"): used when named, never by itself.
  bool is_demonstration() const;
};

/// Parses and validates a manifest; throws Error(kModel) naming the field that is wrong and what
/// would be right. An id and file names may be used as names of files: they cannot leave a folder.
ModelManifest parse_manifest(const std::string& text, const std::filesystem::path& folder);

/// Reads and parses `folder`/manifest.json.
ModelManifest read_manifest(const std::filesystem::path& folder);

/// The text that parse_manifest reads.
std::string manifest_text(const ModelManifest& manifest);

/// The models installed in a list of folders, each model in a folder of its own; earlier folders
/// win.
class ModelRegistry {
 public:
  explicit ModelRegistry(std::vector<std::filesystem::path> folders);

  /// `override_folder` (--models) or $PRISMVID_MODELS alone; otherwise the user's data folder, then
  /// the folders beside the program.
  static ModelRegistry standard(const std::filesystem::path& override_folder = {});

  /// Every readable manifest. Damaged ones are in problems().
  const std::vector<ModelManifest>& models() const { return models_; }
  const std::vector<std::string>& problems() const { return problems_; }

  /// The first installed model of a task that is no demonstration, or the one named `id`.
  std::optional<ModelManifest> find(const std::string& task, const std::string& id = {}) const;

  /// find() with every file's checksum verified; throws Error(kModel) with the command that mends
  /// it. A file is read again only when its size, times or identity changed since it was last found
  /// right.
  ModelManifest require(const std::string& task, const std::string& id = {}) const;

  /// Where `install` puts new models.
  const std::filesystem::path& install_folder() const { return install_folder_; }

 private:
  void add_folder(const std::filesystem::path& folder);

  std::vector<ModelManifest> models_;
  std::vector<std::string> problems_;
  std::filesystem::path install_folder_;
};

}  // namespace prismvid::vision

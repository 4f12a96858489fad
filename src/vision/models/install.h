#pragma once

#include <string>
#include <vector>

#include "vision/models/download.h"
#include "vision/models/manifest.h"

namespace prismvid::vision {

struct InstallOptions {
  std::string url;     // fetch the model's only file from here instead
  std::string sha256;  // the checksum to expect of the model's only file
  bool trust = false;  // take a file that nobody states a checksum of
  DownloadOptions transfer;
};

/// Installs the model `source` names into the registry's install folder and returns its manifest
/// there; a model of the same id is replaced. `source` is an id of the catalogue, a folder with a
/// manifest.json, or such a file. Files that do not lie beside the manifest are fetched from their
/// address. Nothing is left behind where it fails, but downloads that broke off are gone on with
/// next time. Throws Error(kModel) on a wrong manifest or checksum, Error(kUnavailable) when an
/// address cannot be reached, Error(kNotFound) when there is no such source.
ModelManifest install_model(const ModelRegistry& registry, const std::string& source,
                            const InstallOptions& options = {});

/// The same for a manifest that is not a file yet; its files lie in manifest.folder or have an
/// address.
ModelManifest install_manifest(const ModelRegistry& registry, ModelManifest manifest,
                               const InstallOptions& options = {});

/// What `prismvid models check` finds of one model.
struct ModelCheck {
  ModelManifest model;
  std::string problem;  // empty when every file is right
};

/// Reads every file of every installed model, whatever was remembered of it. Damaged manifests are
/// in ModelRegistry::problems().
std::vector<ModelCheck> check_models(const ModelRegistry& registry);

}  // namespace prismvid::vision

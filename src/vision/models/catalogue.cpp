#include "vision/models/catalogue.h"

#include "vision/models/catalogue_json.h"
#include "vision/models/manifest_json.h"

namespace prismvid::vision {

const std::vector<ModelManifest>& model_catalogue() {
  static const std::vector<ModelManifest> catalogue = [] {
    std::vector<ModelManifest> models;
    for (const auto& entry : nlohmann::json::parse(kCatalogueJson))
      models.push_back(parse_manifest_object(entry, "catalogue", Checksums::kOptional));
    return models;
  }();
  return catalogue;
}

std::optional<ModelManifest> find_in_catalogue(const std::string& id) {
  for (const ModelManifest& model : model_catalogue())
    if (model.id == id) return model;
  return std::nullopt;
}

}  // namespace prismvid::vision

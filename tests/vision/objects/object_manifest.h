#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "vision/models/manifest.h"

namespace prismvid::vision {

/// A manifest of an object detector whose file lies in the test data.
inline ModelManifest object_manifest(const std::string& file, const nlohmann::json& parameters) {
  const nlohmann::json root = {{"schema", "prismvid.model/1"},
                               {"id", file},
                               {"task", "object_detection"},
                               {"version", "1"},
                               {"licence", "none"},
                               {"source", "test"},
                               {"files", {{{"name", file}, {"sha256", std::string(64, '0')}}}},
                               {"parameters", parameters}};
  return parse_manifest(root.dump(), TEST_DATA);
}

}  // namespace prismvid::vision

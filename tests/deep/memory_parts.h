#pragma once

#include <map>
#include <string>

#include "deep/stages.h"

namespace prismvid::deep {

class MemoryParts : public PartStore {
 public:
  std::optional<std::string> find(const std::string& key) override {
    const auto found = parts.find(key);
    return found == parts.end() ? std::nullopt : std::optional(found->second);
  }
  void keep(const std::string& key, const std::string& json) override { parts[key] = json; }
  std::map<std::string, std::string> parts;
};

}  // namespace prismvid::deep

#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "vision/models/manifest.h"

namespace prismvid::vision {

/// Reads one object of a manifest's parameters. A field may be missing where a fallback is given; a
/// wrong one throws Error(kModel) that names the model, the field and what would be right. The
/// manifest must outlive this.
class ManifestFields {
 public:
  /// The parameters of a manifest.
  explicit ManifestFields(const ModelManifest& manifest)
      : ManifestFields(*manifest.parameters, "manifest of model '" + manifest.id + "': ") {}

  template <typename T>
  T number(const char* name, T fallback, double least, double most) const {
    const auto field = object_.find(name);
    if (field == object_.end()) return fallback;
    const bool fits =
        field->is_number() && field->get<double>() >= least && field->get<double>() <= most;
    check(fits, ErrorCode::kModel, where_, "'", name, "' must be a number from ", least, " to ",
          most);
    return field->get<T>();
  }

  /// A number without a fallback.
  template <typename T>
  T required_number(const char* name, double least, double most) const {
    check(has(name), ErrorCode::kModel, where_, "'", name, "' is missing, must be a number from ",
          least, " to ", most);
    return number(name, T{}, least, most);
  }

  bool has(const char* name) const { return object_.contains(name); }
  bool is(const char* name, const char* text) const { return has(name) && object_[name] == text; }
  bool flag(const char* name, bool fallback) const;
  /// The value of a field that must be one of `choices`; the first one where the field is missing.
  std::string choice(const char* name, const std::vector<std::string>& choices) const;
  /// Three numbers, or one for all three channels.
  std::array<float, 3> channels(const char* name, float fallback) const;
  std::vector<int> whole_numbers(const char* name, const std::vector<int>& fallback, int least,
                                 int most) const;
  /// A list of strings with at least one.
  std::vector<std::string> names(const char* name) const;
  ManifestFields object(const char* name) const;

 private:
  ManifestFields(const nlohmann::json& object, std::string where)
      : object_(object), where_(std::move(where)) {}

  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace prismvid::vision

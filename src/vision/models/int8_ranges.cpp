#include "vision/models/int8_ranges.h"

#include <nlohmann/json.hpp>

#include "vision/models/int8_ranges_json.h"

namespace prismvid::vision {
namespace {

using RangesByChecksum = std::map<std::string, ActivationRanges>;

RangesByChecksum parse_ranges() {
  RangesByChecksum known;
  for (const auto& model : nlohmann::json::parse(kInt8RangesJson))
    for (const auto& [name, range] : model.at("ranges").items())
      known[model.at("sha256").get<std::string>()][name] = {range.at(0).get<float>(), range.at(1).get<float>()};
  return known;
}

}  // namespace

const ActivationRanges& int8_ranges(const ModelManifest& model) {
  static const RangesByChecksum known = parse_ranges();
  static const ActivationRanges none;
  const auto found = known.find(model.files.at(0).sha256);
  return found == known.end() ? none : found->second;
}

}  // namespace prismvid::vision

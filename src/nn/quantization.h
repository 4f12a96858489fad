#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace prismvid::nn {

/// How a matrix is packed, in MLX's terms.
struct Quantization {
  int group_size = 64;
  int bits = 4;
  std::string mode = "affine";  // or mxfp4, mxfp8, nvfp4
  bool operator==(const Quantization&) const = default;
};

/// A mode as MLX packs it unless told otherwise. Throws Error(kModel) for one that it does not
/// have.
Quantization usual_quantization(const std::string& mode);

/// What config.json says about quantisation: one setting for all, and others for single paths.
class QuantizationTable {
 public:
  QuantizationTable() = default;

  /// Reads "quantization" or "quantization_config" of a config.json; `canonical` maps a path as the
  /// file writes it to the one asked for. Throws Error(kModel) for a mode, group size or width that
  /// MLX does not have.
  template <typename Canonical>
  static QuantizationTable parse(const nlohmann::json& config, const Canonical& canonical) {
    QuantizationTable table;
    const auto& node = quantization_node(config);
    table.default_ = read(node, {});
    for (const auto& [path, entry] : node.items())
      if (entry.is_object()) table.paths_[canonical(path)] = read(entry, table.default_).value();
    return table;
  }

  /// The packing of the matrix at `path` whose packed width and number of groups are given, from
  /// config and shapes: where config.json is silent or wrong the bits follow from the shapes.
  /// nullopt where nothing fits `columns`.
  std::optional<Quantization> find(const std::string& path, int columns, int packed_columns,
                                   int groups, bool has_biases) const;

 private:
  static const nlohmann::json& quantization_node(const nlohmann::json& config);
  static std::optional<Quantization> read(const nlohmann::json& node,
                                          const std::optional<Quantization>& base);

  std::optional<Quantization> default_;
  std::map<std::string, Quantization> paths_;
};

}  // namespace prismvid::nn

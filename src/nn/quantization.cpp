#include "nn/quantization.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/error.h"

namespace prismvid::nn {
namespace {

bool fits(const Quantization& q, int columns, int packed_columns, int groups) {
  return groups * q.group_size == columns &&
         static_cast<int64_t>(packed_columns) * 32 == static_cast<int64_t>(columns) * q.bits;
}

void check_known(const Quantization& q) {
  struct Form {
    const char* mode;
    std::array<int, 3> group_sizes;
    std::array<int, 6> bits;
  };
  static constexpr Form kForms[] = {{"affine", {32, 64, 128}, {2, 3, 4, 5, 6, 8}},
                                    {"mxfp4", {32, 32, 32}, {4, 4, 4, 4, 4, 4}},
                                    {"mxfp8", {32, 32, 32}, {8, 8, 8, 8, 8, 8}},
                                    {"nvfp4", {16, 16, 16}, {4, 4, 4, 4, 4, 4}}};
  const auto holds = [](const auto& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  for (const Form& form : kForms)
    if (q.mode == form.mode && holds(form.group_sizes, q.group_size) && holds(form.bits, q.bits))
      return;
  fail(ErrorCode::kModel, "config.json: quantisation ", q.mode, " with ", q.bits,
       " bits in groups of ", q.group_size,
       " is not supported; known are affine 2, 3, 4, 5, 6, 8 bits in groups of 32, 64 or 128, "
       "mxfp4, mxfp8 and nvfp4");
}

}  // namespace

Quantization usual_quantization(const std::string& mode) {
  for (const Quantization& form : {Quantization{64, 4, "affine"}, Quantization{32, 4, "mxfp4"},
                                   Quantization{32, 8, "mxfp8"}, Quantization{16, 4, "nvfp4"}})
    if (form.mode == mode) return form;
  fail(ErrorCode::kModel, "quantisation ", mode,
       " is not supported; known are affine, mxfp4, mxfp8 and nvfp4");
}

const nlohmann::json& QuantizationTable::quantization_node(const nlohmann::json& config) {
  static const nlohmann::json none = nlohmann::json::object();
  for (const char* key : {"quantization", "quantization_config"})
    if (const auto node = config.find(key); node != config.end() && node->is_object()) return *node;
  return none;
}

std::optional<Quantization> QuantizationTable::read(const nlohmann::json& node,
                                                    const std::optional<Quantization>& base) {
  if (!base && !node.contains("bits") && !node.contains("mode")) return std::nullopt;
  Quantization q = base.value_or(Quantization{});
  try {
    q.mode = node.value("mode", q.mode);
    if (q.mode != "affine" && (!base || q.mode != base->mode)) q = usual_quantization(q.mode);
    q.bits = node.value("bits", q.bits);
    q.group_size = node.value("group_size", q.group_size);
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kModel, "config.json: bad quantisation entry: ", e.what());
  }
  check_known(q);
  return q;
}

std::optional<Quantization> QuantizationTable::find(const std::string& path, int columns,
                                                    int packed_columns, int groups,
                                                    bool has_biases) const {
  if (const auto own = paths_.find(path);
      own != paths_.end() && fits(own->second, columns, packed_columns, groups))
    return own->second;
  if (default_ && fits(*default_, columns, packed_columns, groups)) return default_;
  if (!has_biases || groups <= 0 || columns % groups != 0) return std::nullopt;
  const Quantization inferred{columns / groups,
                              static_cast<int>(int64_t{packed_columns} * 32 / columns), "affine"};
  return fits(inferred, columns, packed_columns, groups) ? std::optional(inferred) : std::nullopt;
}

}  // namespace prismvid::nn

#include "inference/caches.h"

#include <algorithm>

#include "core/sha256.h"

namespace prismvid::inference {
namespace {

using qwen3_vl::PatchRows;
using qwen3_vl::VisionFeatures;

ArrayCache::Arrays arrays_of(const VisionFeatures& features) {
  ArrayCache::Arrays arrays{features.embeddings};
  arrays.insert(arrays.end(), features.deepstack.begin(), features.deepstack.end());
  return arrays;
}

VisionFeatures features_of(const ArrayCache::Arrays& arrays) {
  return {arrays[0], {arrays.begin() + 1, arrays.end()}};
}

PatchRows pairs_of(const PatchRows& rows, const std::vector<size_t>& pairs) {
  const size_t levels = rows.levels.size() / static_cast<size_t>(rows.grid.t);
  PatchRows chosen{{static_cast<int>(pairs.size()), rows.grid.h, rows.grid.w}, {}, rows.table};
  for (const size_t pair : pairs) {
    const auto begin = rows.levels.begin() + static_cast<std::ptrdiff_t>(pair * levels);
    chosen.levels.insert(chosen.levels.end(), begin, begin + static_cast<std::ptrdiff_t>(levels));
  }
  return chosen;
}

// The features of one of `pairs` equal frame pairs, in memory of their own.
VisionFeatures pair_of(const VisionFeatures& all, int pair, int pairs) {
  const auto part = [&](const mx::array& array) {
    const int tokens = array.shape(0) / pairs;
    return owned_copy(mx::slice(array, {pair * tokens, 0}, {(pair + 1) * tokens, array.shape(1)}));
  };
  VisionFeatures features{part(all.embeddings), {}};
  for (const mx::array& level : all.deepstack) features.deepstack.push_back(part(level));
  return features;
}

}  // namespace

Caches::Caches(const CacheOptions& options, std::string model_identity)
    : features({options.feature_bytes, options.files}),
      prefixes({options.prefix_bytes, options.files}),
      model(std::move(model_identity)) {}

void Caches::shrink(uint64_t bytes) {
  prefixes.shrink(bytes > features.bytes() ? bytes - features.bytes() : 0);
  features.shrink(bytes);
}

void Caches::clear() {
  prefixes.clear();
  features.clear();
}

std::vector<VisionFeatures> encode(const qwen3_vl::Model& model, const MediaPart& part,
                                   Caches* caches, const std::string& owner) {
  std::vector<std::optional<VisionFeatures>> all(part.keys.size());
  std::vector<std::string> keys;
  std::vector<size_t> missing;
  for (size_t i = 0; i < all.size(); ++i) {
    keys.push_back(caches ? sha256_hex(caches->model + ";" + part.keys[i]) : std::string());
    if (const auto* known = caches ? caches->features.find(keys[i], owner) : nullptr)
      all[i] = features_of(*known);
    else
      missing.push_back(i);
  }
  if (!missing.empty()) {
    const bool is_all = missing.size() == all.size();
    const VisionFeatures made = model.encode(is_all ? part.rows : pairs_of(part.rows, missing));
    ArrayCache::Arrays outputs;
    for (size_t i = 0; i < missing.size(); ++i) {
      all[missing[i]] = pair_of(made, static_cast<int>(i), static_cast<int>(missing.size()));
      for (const mx::array& array : arrays_of(*all[missing[i]])) outputs.push_back(array);
    }
    mx::eval(outputs);  // part by part: memory stays that of one
    if (caches)
      for (const size_t i : missing) caches->features.insert(keys[i], arrays_of(*all[i]), owner);
  }
  std::vector<VisionFeatures> result;
  for (auto& one : all) result.push_back(std::move(*one));
  return result;
}

}  // namespace prismvid::inference

#include "inference/memory_use.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "core/memory.h"
#include "inference/loaded_model.h"

namespace prismvid::inference {
namespace {

constexpr uint64_t kCacheStep = 256;       // tokens by which keys and values grow
constexpr uint64_t kPatchesOfPart = 4096;  // at least; one frame pair may have more
constexpr uint64_t kPartsAtOnce = 4;       // two wait, one is made, one is encoded

uint64_t rounded_up(uint64_t value, uint64_t step) {
  return (value + step - 1) / step * step;
}

uint64_t largest_part(const PlannedPrompt& planned) {
  uint64_t patches = 0;
  for (const MediaPlan& medium : planned.media) {
    const auto& grid = medium.layout.grid;
    const uint64_t all = static_cast<uint64_t>(grid.patches()),
                   pair = static_cast<uint64_t>(grid.h) * static_cast<uint64_t>(grid.w);
    patches = std::max(patches, std::min(all, std::max(pair, kPatchesOfPart)));
  }
  return patches;
}

}  // namespace

uint64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss);
#else
  const uint64_t process = static_cast<uint64_t>(usage.ru_maxrss) * 1024;
#endif
  return std::max<uint64_t>(process, mx::get_peak_memory());
}

uint64_t default_memory_budget() {
  return machine_memory_bytes() / 5 * 4;
}

uint64_t request_bytes(const LoadedModel& model, const PlannedPrompt& planned,
                       const GenerateOptions& options) {
  const qwen3_vl::TextConfig& text = model.parts().config.text;
  const qwen3_vl::VisionConfig& vision = model.parts().config.vision;
  const auto wide = [](int value) { return static_cast<uint64_t>(std::max(value, 0)); };
  const uint64_t prompt = planned.prompt.ids.size();
  const uint64_t tokens =
      std::min(prompt + wide(options.max_tokens), wide(text.max_positions) + kCacheStep);
  const uint64_t chunk = std::min(prompt, wide(chunk_tokens(options)));
  uint64_t visual = 0;
  for (const auto& span : planned.prompt.spans) visual += wide(span.tokens());

  const uint64_t number = model.bytes_per_number;
  const uint64_t keys_and_values = rounded_up(tokens, kCacheStep) * 2 * wide(text.layers) *
                                   wide(text.key_value_heads) *
                                   model.model.key_value_format().head_bytes(text.head_dim, number);
  const uint64_t features =
      visual * (1 + vision.deepstack_indexes.size()) * wide(text.hidden_size) * number;
  const uint64_t text_activations =
      chunk * 4 * (6 * wide(text.hidden_size) + 3 * wide(text.intermediate_size)) +
      (1 + wide(options.draft_tokens)) * 4 * wide(text.vocabulary);
  const uint64_t patches = largest_part(planned);
  const uint64_t vision_activations =
      patches * 4 *
      (kPartsAtOnce * wide(vision.patch_values()) + 8 * wide(vision.hidden_size) +
       2 * wide(vision.intermediate_size));
  return keys_and_values + 2 * features + std::max(text_activations, vision_activations);
}

std::string gigabytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

}  // namespace prismvid::inference

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/qwen3_vl/config.h"
#include "models/qwen3_vl/language_model.h"
#include "models/qwen3_vl/prompt.h"
#include "models/qwen3_vl/vision_tower.h"

namespace prismvid::qwen3_vl {

struct LoadOptions {
  std::optional<mx::Dtype> dtype;  // of computation; nullopt: as the checkpoint is stored
  /// How the CPU kernels run; nullopt for MLX's own operations, which all other devices take.
  std::optional<nn::KernelOptions> kernels = nn::KernelOptions{};
  int key_value_bits = 16;  // 8 or 4: keys and values are kept quantised; 16: as they come
};

/// One conversation in the making: its tokens' keys and values and where they stand. Not
/// thread-safe.
struct Sequence {
  uint64_t id = 0;  // no other has it
  std::vector<nn::KeyValueCache> caches;
  Positions positions;  // of the prompt

  int size() const { return caches.empty() ? 0 : caches[0].size(); }
};

class DeviceDecoder;

/// Qwen3-VL, dense or mixture of experts. Immutable; all state lies in Sequence. One thread at a
/// time.
class Model {
 public:
  /// Loads a checkpoint's folder. Throws Error(kNotFound) or Error(kModel), all unfitting tensors
  /// in one message, or when the weights do not fit into this machine's memory.
  static Model load(const std::filesystem::path& folder, const LoadOptions& options = {});

  const Config& config() const { return config_; }
  bool has_vision() const { return vision_.has_value(); }
  uint64_t weight_bytes() const { return weight_bytes_; }
  const nn::KeyValueFormat& key_value_format() const { return key_value_format_; }

  /// Throws Error(kModel) for a text-only export.
  VisionFeatures encode(const PatchRows& rows, const Trace& trace = {}) const;

  Sequence begin(const Prompt& prompt) const;

  /// Runs prompt tokens [sequence.size(), end); `features` are those of all spans, in order.
  /// Returns the hidden states of these tokens, (1, tokens, hidden). Throws Error(kInvalidArgument)
  /// where features and spans do not match.
  mx::array prefill(Sequence& sequence, const Prompt& prompt,
                    const std::optional<VisionFeatures>& features, int end,
                    const Trace& trace = {}) const;

  /// Runs text tokens behind what each sequence has, `ids[i]` those of sequences[i], one or more,
  /// each sequence at its own length; (1, tokens of all, hidden). The weights are read once for
  /// all.
  mx::array step(const std::vector<Sequence*>& sequences,
                 const std::vector<std::vector<int>>& ids) const;
  mx::array step(Sequence& sequence, int id) const { return step({&sequence}, {{id}}); }

  mx::array logits(const mx::array& hidden) const { return language_.logits(hidden); }

  /// Null where steps go through MLX.
  DeviceDecoder* device_decoder() const { return decoder_.get(); }

 private:
  Model(Config config, nn::Weights& weights);

  Config config_;
  LanguageModel language_;
  std::optional<VisionTower> vision_;
  uint64_t weight_bytes_ = 0;
  nn::KeyValueFormat key_value_format_;
  std::shared_ptr<DeviceDecoder> decoder_;
  bool steps_on_cpu_ = false;
};

/// Features of several media as one.
VisionFeatures concatenated(const std::vector<VisionFeatures>& parts);

}  // namespace prismvid::qwen3_vl

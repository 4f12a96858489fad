#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "models/qwen3_vl/language_model.h"
#include "nn/sampler.h"

namespace prismvid::qwen3_vl {

struct Sequence;

/// How the token of one sequence is picked.
struct TokenPick {
  const nn::Sampler* sampler = nullptr;  // told by Sampler::take() before the next call
  /// Writes a bit for each token that may be picked, all of them; called once a step, while the
  /// device works. Empty: any token.
  std::function<void(std::span<uint64_t>)> write_mask;
};

/// Decode steps by kernels of one device, without a graph of MLX: keys and values are written in
/// place. Used by the thread that owns the device.
class DeviceDecoder {
 public:
  virtual ~DeviceDecoder() = default;

  /// Sequences that one step can take.
  virtual int most_sequences() const = 0;

  /// Runs one token of each sequence; the logits behind it, one row for each.
  virtual std::vector<std::vector<float>> logits(const std::vector<Sequence*>& sequences,
                                                 const std::vector<int>& ids) = 0;

  /// The same, giving the likeliest token of each. Where the next call takes these tokens of the
  /// same sequences, the device has gone on meanwhile.
  virtual std::vector<int> likeliest(const std::vector<Sequence*>& sequences,
                                     const std::vector<int>& ids) = 0;

  /// Whether picked() takes such options.
  virtual bool can_pick(const nn::SamplingOptions& options) const = 0;

  /// As likeliest(), giving the token of each that its sampler would pick. The samplers are those
  /// of the next call too.
  virtual std::vector<int> picked(const std::vector<Sequence*>& sequences,
                                  const std::vector<int>& ids,
                                  const std::vector<TokenPick>& picks) = 0;

  /// Returns once nothing runs: before keys and values of a sequence that was stepped are freed.
  virtual void rest() = 0;
};

/// Null without such a device, or for a model that its kernels do not have. The arrays of `model`
/// must outlive it.
std::shared_ptr<DeviceDecoder> make_device_decoder(const LanguageModel& model,
                                                   const TextConfig& config);

}  // namespace prismvid::qwen3_vl

#pragma once

#include <span>
#include <string>
#include <vector>

#include "inference/array_cache.h"
#include "models/qwen3_vl/model.h"

// Inside inference only.
namespace prismvid::inference {

/// Keys of whole blocks of tokens, each over all that comes before: token ids, and for visual
/// tokens what they show.
class BlockKeys {
 public:
  /// Of a block. A device copies a few large blocks sooner than many small ones.
  static int tokens();

  /// `media[i]` names what spans[i] shows. `model` names weights and numerics.
  BlockKeys(const std::string& model, const std::vector<qwen3_vl::VisualSpan>& spans,
            const std::vector<std::string>& media);

  /// Appends tokens; keys of blocks that are whole are in keys().
  void append(std::span<const int> ids);
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void close_block();

  std::vector<qwen3_vl::VisualSpan> spans_;
  std::vector<std::string> media_;
  std::string last_;
  std::string block_;  // text that will be hashed
  size_t span_ = 0;    // the first that does not end before the next token
  int count_ = 0;      // of tokens so far
  std::vector<std::string> keys_;
};

/// Keys and values of the longest known beginning of a prompt, at most `most` tokens, put into a
/// new sequence; returns the number of tokens. `owner` is that of ArrayCache.
int restore_prefix(ArrayCache& cache, const std::vector<std::string>& keys,
                   const std::string& owner, int most, qwen3_vl::Sequence& sequence);

/// Keeps the blocks of a sequence that are not known yet, of one that is too long for the cache its
/// beginning.
void store_prefix(ArrayCache& cache, const std::vector<std::string>& keys, const std::string& owner,
                  const qwen3_vl::Sequence& sequence);

}  // namespace prismvid::inference

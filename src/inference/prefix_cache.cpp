#include "inference/prefix_cache.h"

#include <algorithm>

#include "core/sha256.h"

namespace prismvid::inference {

int BlockKeys::tokens() {
  return mx::default_device() == mx::Device::gpu ? 256 : 32;
}

BlockKeys::BlockKeys(const std::string& model, const std::vector<qwen3_vl::VisualSpan>& spans,
                     const std::vector<std::string>& media)
    : spans_(spans), media_(media), last_(model) {}

void BlockKeys::append(std::span<const int> ids) {
  for (const int id : ids) {
    while (span_ < spans_.size() && spans_[span_].end() <= count_) ++span_;
    block_ += std::to_string(id);
    if (span_ < spans_.size() && spans_[span_].start <= count_)
      block_ += "=" + media_[span_] + "+" + std::to_string(count_ - spans_[span_].start);
    block_ += ",";
    if (++count_ % tokens() == 0) close_block();
  }
}

void BlockKeys::close_block() {
  last_ = sha256_hex(last_ + ";" + block_);
  keys_.push_back(last_);
  block_.clear();
}

namespace {

uint64_t block_bytes(const qwen3_vl::Sequence& sequence) {
  uint64_t bytes = 0;
  for (const nn::KeyValueCache& layer : sequence.caches)
    for (const mx::array& kept : layer.tokens(0, BlockKeys::tokens())) bytes += kept.nbytes();
  return bytes;
}

}  // namespace

int restore_prefix(ArrayCache& cache, const std::vector<std::string>& keys,
                   const std::string& owner, int most, qwen3_vl::Sequence& sequence) {
  const size_t usable = std::min(keys.size(), static_cast<size_t>(most / BlockKeys::tokens()));
  std::vector<ArrayCache::Arrays> blocks;
  while (blocks.size() < usable) {
    const auto* block = cache.find(keys[blocks.size()], owner);
    if (block == nullptr) break;
    blocks.push_back(*block);
  }
  if (blocks.empty()) return 0;
  // A block is of no use without those before it: they shall be the newest.
  for (size_t i = blocks.size(); i-- > 0;) cache.touch(keys[i]);
  const size_t of_layer = blocks[0].size() / sequence.caches.size();
  for (size_t layer = 0; layer < sequence.caches.size(); ++layer) {
    std::vector<mx::array> kept;
    for (size_t i = layer * of_layer; i < (layer + 1) * of_layer; ++i) {
      std::vector<mx::array> parts;
      for (const auto& block : blocks) parts.push_back(block[i]);
      kept.push_back(mx::concatenate(parts, 2));
    }
    sequence.caches[layer].append_kept(kept);
  }
  return sequence.size();
}

void store_prefix(ArrayCache& cache, const std::vector<std::string>& keys, const std::string& owner,
                  const qwen3_vl::Sequence& sequence) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    const int begin = static_cast<int>(i) * BlockKeys::tokens(), end = begin + BlockKeys::tokens();
    if (end > sequence.size()) break;
    if (bytes == 0) bytes = block_bytes(sequence);
    if ((i + 1) * bytes > cache.memory_bytes()) break;
    if (cache.contains(keys[i])) continue;
    ArrayCache::Arrays arrays;
    for (const nn::KeyValueCache& layer : sequence.caches)
      for (const mx::array& kept : layer.tokens(begin, end)) arrays.push_back(owned_copy(kept));
    mx::eval(arrays);
    cache.insert(keys[i], std::move(arrays), owner);
  }
  for (size_t i = keys.size(); i-- > 0;) cache.touch(keys[i], owner);
}

}  // namespace prismvid::inference

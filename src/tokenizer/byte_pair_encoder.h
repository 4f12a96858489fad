#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace prismvid::tokenizer {

/// Byte-level byte pair encoding of one piece of text. Immutable, thread-safe.
class BytePairEncoder {
 public:
  /// `vocabulary` maps raw bytes to ids and must hold all 256 single bytes; `merges` come in order
  /// of rank. Throws Error(kModel) where a part or the result of a merge is not in the vocabulary.
  BytePairEncoder(const std::unordered_map<std::string, int>& vocabulary,
                  const std::vector<std::pair<std::string, std::string>>& merges);

  /// Appends the ids of `piece`: always the pair of the lowest rank merges first, the leftmost of
  /// equals.
  void encode(std::string_view piece, std::vector<int>& ids) const;

 private:
  struct Merge {
    int rank = 0;
    int id = 0;
  };
  const Merge* find(int left, int right) const;

  int byte_ids_[256];
  std::unordered_map<uint64_t, Merge> merges_;  // left id << 32 | right id
};

}  // namespace prismvid::tokenizer

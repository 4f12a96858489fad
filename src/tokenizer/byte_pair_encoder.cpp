#include "tokenizer/byte_pair_encoder.h"

#include <queue>
#include <tuple>

#include "core/error.h"

namespace prismvid::tokenizer {
namespace {

uint64_t pair_key(int left, int right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// A part of the piece in a doubly linked list; merged-away parts have id -1.
struct Part {
  int id = 0;
  int previous = -1;
  int next = -1;
};

struct Candidate {
  int rank = 0;
  int position = 0;  // of the left part
  int left = 0;      // ids at the time of the finding, to tell stale candidates
  int right = 0;

  bool operator<(const Candidate& other) const {  // priority_queue pops the largest
    return std::tie(rank, position) > std::tie(other.rank, other.position);
  }
};

}  // namespace

BytePairEncoder::BytePairEncoder(const std::unordered_map<std::string, int>& vocabulary,
                                 const std::vector<std::pair<std::string, std::string>>& merges) {
  const auto id_of = [&](const std::string& bytes) {
    const auto entry = vocabulary.find(bytes);
    check(entry != vocabulary.end(), ErrorCode::kModel, "tokenizer: the vocabulary lacks \"", bytes,
          "\", which the byte alphabet or a merge needs");
    return entry->second;
  };
  for (int byte = 0; byte < 256; ++byte)
    byte_ids_[byte] = id_of(std::string(1, static_cast<char>(byte)));
  merges_.reserve(merges.size());
  for (int rank = 0; const auto& [left, right] : merges)
    merges_.emplace(pair_key(id_of(left), id_of(right)), Merge{rank++, id_of(left + right)});
}

const BytePairEncoder::Merge* BytePairEncoder::find(int left, int right) const {
  const auto entry = merges_.find(pair_key(left, right));
  return entry == merges_.end() ? nullptr : &entry->second;
}

void BytePairEncoder::encode(std::string_view piece, std::vector<int>& ids) const {
  const int size = static_cast<int>(piece.size());
  std::vector<Part> parts(piece.size());
  for (int i = 0; i < size; ++i)
    parts[i] = {byte_ids_[static_cast<uint8_t>(piece[i])], i - 1, i + 1 < size ? i + 1 : -1};

  std::priority_queue<Candidate> candidates;
  const auto consider = [&](int left) {
    if (left < 0 || parts[left].next < 0) return;
    const int right_id = parts[parts[left].next].id;
    if (const Merge* merge = find(parts[left].id, right_id))
      candidates.push({merge->rank, left, parts[left].id, right_id});
  };
  for (int i = 0; i < size; ++i) consider(i);

  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Part& left = parts[best.position];
    if (left.id != best.left || left.next < 0 || parts[left.next].id != best.right) continue;
    left.id = find(best.left, best.right)->id;
    Part& right = parts[left.next];
    right.id = -1;
    left.next = right.next;
    if (left.next >= 0) parts[left.next].previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (int i = 0; i >= 0 && size > 0; i = parts[i].next) ids.push_back(parts[i].id);
}

}  // namespace prismvid::tokenizer

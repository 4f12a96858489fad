#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "core/error.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/unicode.h"

namespace prismvid::tokenizer {
namespace {

constexpr int kMaximumId = 10'000'000;

}  // namespace

Tokenizer::Tokenizer(const TokenizerData& data)
    : encoder_(data.vocabulary, data.merges), added_(data.added) {
  const auto put = [&](int id, const std::string& bytes, bool special) {
    check(id >= 0 && id < kMaximumId, ErrorCode::kModel, "tokenizer: token id ", id,
          " is out of range");
    if (id >= size()) {
      bytes_of_id_.resize(id + 1);
      is_special_.resize(id + 1);
    }
    bytes_of_id_[id] = bytes;
    is_special_[id] = special;
  };
  for (const auto& [bytes, id] : data.vocabulary) put(id, bytes, false);
  for (const AddedToken& token : added_) {
    put(token.id, token.content, token.special);
    added_ids_[token.content] = token.id;
  }
  // Where two tokens could start at one place, the longer one is meant.
  std::stable_sort(added_.begin(), added_.end(), [](const AddedToken& a, const AddedToken& b) {
    return a.content.size() > b.content.size();
  });
}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  return Tokenizer(read_tokenizer_files(folder));
}

std::vector<int> Tokenizer::encode(std::string_view text) const {
  const auto invalid = first_invalid_utf8(text);
  check(!invalid, ErrorCode::kInvalidArgument, "the text is not UTF-8: byte ", invalid.value_or(0),
        " starts no character");
  std::vector<int> ids;
  const std::string normalized = normalize_nfc(text);
  for (const std::string_view piece : pre_tokenize(normalized)) encoder_.encode(piece, ids);
  return ids;
}

std::optional<int> Tokenizer::added_token_id(std::string_view content) const {
  const auto entry = added_ids_.find(std::string(content));
  if (entry == added_ids_.end()) return std::nullopt;
  return entry->second;
}

const AddedToken* Tokenizer::added_token_at(std::string_view text) const {
  const auto token = std::find_if(added_.begin(), added_.end(),
                                  [&](const AddedToken& t) { return text.starts_with(t.content); });
  return token == added_.end() ? nullptr : &*token;
}

std::string Tokenizer::token_bytes(int id, bool skip_special) const {
  if (id < 0 || id >= size() || (skip_special && is_special_[id])) return {};
  return bytes_of_id_[id];
}

std::string Tokenizer::decode(const std::vector<int>& ids, bool skip_special) const {
  std::string bytes;
  for (const int id : ids) bytes += token_bytes(id, skip_special);
  return replace_invalid_utf8(bytes);
}

}  // namespace prismvid::tokenizer

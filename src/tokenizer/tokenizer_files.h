#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace prismvid::tokenizer {

/// A token that stands for itself: never split, never made by merging.
struct AddedToken {
  int id = 0;
  std::string content;
  bool special = false;  // left out when decoded for people
};

/// What the files of a checkpoint say, as raw bytes.
struct TokenizerData {
  std::unordered_map<std::string, int> vocabulary;  // without the added tokens
  std::vector<std::pair<std::string, std::string>> merges;
  std::vector<AddedToken> added;
};

/// Reads tokenizer.json of `folder`, or vocab.json and merges.txt with tokenizer_config.json.
/// Throws Error(kModel) naming the file for what is missing, damaged or not byte-level BPE of
/// Qwen2's form.
TokenizerData read_tokenizer_files(const std::filesystem::path& folder);

/// The same from the text of a tokenizer.json.
TokenizerData parse_tokenizer_json(const std::string& text);

/// "ĠHello" to " Hello": the printable stand-ins of bytes (GPT-2's table) back to bytes.
/// Throws Error(kModel) for a character outside the table.
std::string bytes_of_token(const std::string& token);

}  // namespace prismvid::tokenizer

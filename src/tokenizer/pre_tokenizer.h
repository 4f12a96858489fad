#pragma once

#include <string_view>
#include <vector>

namespace prismvid::tokenizer {

/// Cuts well-formed UTF-8 into the pieces within which bytes are merged. Equal to Qwen2's pattern
///   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|
///   ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
/// but in one pass without backtracking. The pieces borrow from `text` and together make it up.
std::vector<std::string_view> pre_tokenize(std::string_view text);

}  // namespace prismvid::tokenizer

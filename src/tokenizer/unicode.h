#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace prismvid::tokenizer {

/// One code point and the bytes it takes.
struct CodePoint {
  char32_t value = 0;
  int length = 0;
};

/// The code point that starts at `position`, which must be one of well-formed UTF-8.
CodePoint code_point_at(std::string_view text, size_t position);

/// \p{L}, \p{N} and \s as the Hugging Face tokenizers package (0.23, Unicode 16) has them.
bool is_letter(char32_t c);
bool is_number(char32_t c);
bool is_space(char32_t c);

/// Offset of the first byte that is not well-formed UTF-8.
std::optional<size_t> first_invalid_utf8(std::string_view text);

/// Unicode normalisation form C of well-formed UTF-8, by utf8proc.
std::string normalize_nfc(std::string_view text);

/// Appends the code point as UTF-8.
void append_utf8(std::string& text, char32_t c);

/// How many bytes at the end of `bytes` may be the beginning of a character that is not complete
/// yet.
size_t incomplete_utf8_tail(std::string_view bytes);

/// Each maximal ill-formed part becomes U+FFFD, as Python's errors="replace" and Rust's
/// from_utf8_lossy do.
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace prismvid::tokenizer

#pragma once

#include <string>
#include <string_view>

namespace prismvid::vision {

/// UTF-8 in normalisation form C, without white space at its ends; bytes that are no UTF-8 become
/// U+FFFD.
std::string to_nfc(std::string_view text);

/// UTF-8 as code points.
std::u32string code_points(std::string_view text);

/// UTF-8 of code points.
std::string to_utf8(std::u32string_view text);

/// Letters and digits only, case folded: what two readings of one line are compared by.
std::u32string comparison_key(std::string_view text);

/// BCP 47 language, empty where it is not plain: by script for Chinese, Japanese, Korean, Russian,
/// Arabic and others, by common words for English and German when the text is long enough.
std::string guess_language(std::string_view text);

}  // namespace prismvid::vision

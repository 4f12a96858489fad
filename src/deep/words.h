#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prismvid::deep {

/// The words of a text to compare it by: lower case (ASCII), without a plural's or verb's final s;
/// each character of scripts that write without spaces is a word.
std::vector<std::string> words_of(std::string_view text);

}  // namespace prismvid::deep

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prismvid::deep {

/// The words of a text to compare it by, as the library's search does: the stems of split_words().
std::vector<std::string> words_of(std::string_view text);

}  // namespace prismvid::deep

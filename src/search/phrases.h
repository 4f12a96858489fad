#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prismvid::search {

/// Stems that must follow each other.
using Phrase = std::vector<std::string>;

/// What a query asks for: a phrase for each word, each text in double quotes and each run of
/// characters without spaces (Chinese). Words that say nothing ("the", "und") count only where
/// there is nothing else.
std::vector<Phrase> parse_phrases(std::string_view query);

}  // namespace prismvid::search

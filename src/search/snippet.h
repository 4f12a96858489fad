#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "search/phrases.h"

namespace prismvid::search {

/// Part of a text around what was looked for.
struct Snippet {
  std::string text;                  // one line, with an ellipsis where it was cut
  std::vector<std::string> matches;  // words of it that were looked for, as they are written there
};

/// At most about `characters` characters of `text`, with the first match where there is one.
Snippet snippet_of(std::string_view text, const std::vector<Phrase>& phrases,
                   size_t characters = 200);

}  // namespace prismvid::search

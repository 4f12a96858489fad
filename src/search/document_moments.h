#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "store/search_index.h"

namespace prismvid::search {

/// What words find a text by: its stems, separated by spaces.
std::string terms_of(std::string_view text);

/// Everything a document says that can be searched: captions, scene titles, chapters, summaries,
/// story beats, highlights, text on screen, speech, labels, places, objects. People are found by
/// the library's faces instead, which know today's names.
std::vector<store::MomentRecord> moments_of(const document::Document& document);

}  // namespace prismvid::search

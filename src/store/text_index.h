#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/database.h"

namespace prismvid::store {

/// Stems that follow each other, any of these phrases: the parameter of words_matched(), "" where
/// nothing is asked for.
std::string words_wanted(Dialect dialect, std::span<const std::vector<std::string>> phrases);

/// The common table `matched` (id of a moment, score by BM25, higher is better) of a statement; ?7
/// is words_wanted(). FTS5 in SQLite, tsvector in PostgreSQL, whose own ranks know of no rare
/// words: the sum is BM25 with each phrase counted once a moment.
const char* words_matched(Dialect dialect);

}  // namespace prismvid::store

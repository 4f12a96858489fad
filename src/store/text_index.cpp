#include "store/text_index.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace prismvid::store {

namespace {

// bm25() works only beside MATCH, so that what it gives is kept before anything is joined to it.
constexpr char kFts5[] = R"sql(
matched AS MATERIALIZED (
  SELECT rowid AS id, -bm25(moments_text) AS score FROM moments_text WHERE moments_text MATCH ?7)
)sql";

// k1 = 1.2, b = 0.75 as in FTS5. The table `indexed_words` counts all moments and their words.
constexpr char kTsvector[] = R"sql(
hits AS MATERIALIZED (
  SELECT p.phrase, m.id, CAST(length(m.words) AS DOUBLE PRECISION) AS words
  FROM (SELECT DISTINCT CAST(value AS tsquery) AS phrase FROM json_each(?7)) p
  JOIN moments m ON m.words @@ p.phrase),
phrases AS (SELECT phrase, CAST(count(*) AS DOUBLE PRECISION) AS moments FROM hits GROUP BY phrase),
matched AS MATERIALIZED (
  SELECT h.id, sum(ln(1 + (greatest(t.moments, p.moments) - p.moments + 0.5) / (p.moments + 0.5))
    * 2.2 / (1 + 1.2 * (0.25 + 0.75 * h.words * t.moments / greatest(t.words, 1)))) AS score
  FROM hits h JOIN phrases p USING (phrase), indexed_words t GROUP BY h.id)
)sql";

std::string lexeme_literal(const std::string& lexeme) {
  std::string text = "'";
  for (const char c : lexeme) {
    if (c == '\'' || c == '\\') text += c;
    text += c;
  }
  return text + "'";
}

/// "folder" OR "red cup". Stems hold letters and digits only, but are quoted all the same.
std::string fts5_expression(std::span<const std::vector<std::string>> phrases) {
  std::string expression;
  for (const auto& phrase : phrases) {
    std::string words;
    for (const std::string& stem : phrase) words += (words.empty() ? "" : " ") + stem;
    std::erase(words, '"');
    if (words.empty()) continue;
    expression += (expression.empty() ? "\"" : " OR \"") + words + "\"";
  }
  return expression;
}

/// ["'folder'", "'red' <-> 'cup'"]: split at spaces, as the moments' stems are.
std::string tsquery_list(std::span<const std::vector<std::string>> phrases) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& phrase : phrases) {
    std::string query;
    for (const std::string& stems : phrase) {
      std::istringstream words(stems);
      for (std::string word; words >> word;)
        query += (query.empty() ? "" : " <-> ") + lexeme_literal(word);
    }
    if (!query.empty()) list.push_back(query);
  }
  return list.empty() ? "" : list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string words_wanted(Dialect dialect, std::span<const std::vector<std::string>> phrases) {
  return dialect == Dialect::kSqlite ? fts5_expression(phrases) : tsquery_list(phrases);
}

const char* words_matched(Dialect dialect) {
  return dialect == Dialect::kSqlite ? kFts5 : kTsvector;
}

}  // namespace prismvid::store

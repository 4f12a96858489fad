#include <nlohmann/json.hpp>

#include "store/sqlite_store_impl.h"

// The search index: moments with their words in FTS5.
namespace prismvid::store {

namespace {

/// On `m` (a moment or a face) and `v` (its video). ?1 to ?5 are videos, people, labels (JSON
/// arrays), since and until.
constexpr char kFilter[] = R"sql(
  AND (?1 = '[]' OR m.video_id IN (SELECT value FROM json_each(?1)))
  AND NOT EXISTS (SELECT 1 FROM json_each(?2) wanted WHERE NOT EXISTS (
    SELECT 1 FROM faces f WHERE f.person = wanted.value AND f.current = 1
    AND f.video_id = m.video_id AND f.start_us < m.end_us AND f.end_us > m.start_us))
  AND NOT EXISTS (SELECT 1 FROM json_each(?3) wanted WHERE NOT EXISTS (
    SELECT 1 FROM moments o WHERE o.terms = wanted.value AND o.kind IN ('label', 'object', 'place')
    AND o.video_id = m.video_id AND o.start_us < m.end_us AND o.end_us > m.start_us))
  AND v.added_at >= ?4 AND (?5 = '' OR v.added_at <= ?5)
)sql";

/// The best row of each element and text, and how many rows it stands for.
constexpr char kBestOfEach[] = R"sql(
SELECT id, video_id, kind, of_id, start_us, end_us, text, keyframe, times, score FROM (
  SELECT *, count(*) OVER element AS times,
    row_number() OVER (element ORDER BY score DESC, start_us) AS place
  FROM found WINDOW element AS (PARTITION BY video_id, kind, of_id, text))
WHERE place = 1 ORDER BY score DESC, video_id, start_us, id LIMIT ?6
)sql";

constexpr char kMomentColumns[] =
    "m.id, m.video_id, m.kind, m.of_id, m.start_us, m.end_us, m.text, m.keyframe";

std::string json_list(std::span<const std::string> values) {
  return nlohmann::json(std::vector<std::string>(values.begin(), values.end())).dump();
}

std::vector<FoundMoment> read_found(Statement& rows) {
  std::vector<FoundMoment> found;
  while (rows.step())
    found.push_back({rows.integer(0),
                     rows.text(1),
                     rows.text(2),
                     rows.text(3),
                     {rows.integer(4), rows.integer(5)},
                     rows.text(6),
                     rows.text(7),
                     rows.integer(8),
                     rows.real(9)});
  return found;
}

/// "folder" OR "red cup". Stems hold letters and digits only, but are quoted all the same.
std::string match_expression(std::span<const std::vector<std::string>> phrases) {
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

}  // namespace

std::vector<UnindexedVideo> SqliteStore::unindexed_videos() {
  std::vector<UnindexedVideo> videos;
  Statement rows(database_,
                 "SELECT video_id, max(sequence) FROM documents GROUP BY video_id "
                 "EXCEPT SELECT video_id, document FROM indexed_documents");
  while (rows.step()) videos.push_back({rows.text(0), rows.integer(1)});
  return videos;
}

void SqliteStore::put_moments(const UnindexedVideo& video, std::span<const MomentRecord> moments) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  Statement known(database_, "SELECT 1 FROM videos WHERE id = ?", video.video_id);
  if (!known.step()) return;
  Statement(database_, "DELETE FROM moments WHERE video_id = ?", video.video_id).run();
  for (const MomentRecord& moment : moments)
    Statement(database_,
              "INSERT INTO moments (video_id, kind, of_id, start_us, end_us, text, terms, "
              "keyframe) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
              video.video_id, moment.kind, moment.of, moment.range.start_us, moment.range.end_us,
              moment.text, moment.terms, moment.keyframe)
        .run();
  Statement(database_,
            "INSERT OR REPLACE INTO indexed_documents (video_id, document) VALUES (?, ?)",
            video.video_id, video.document)
      .run();
  transaction.commit();
}

std::vector<FoundMoment> SqliteStore::match_phrases(
    std::span<const std::vector<std::string>> phrases, const MomentFilter& filter, size_t most) {
  const std::string expression = match_expression(phrases);
  if (expression.empty()) return {};
  // bm25() works only beside MATCH, so that what it gave is kept before it is grouped.
  Statement rows(
      database_,
      std::string("WITH found AS MATERIALIZED (SELECT ") + kMomentColumns +
          ", -bm25(moments_text) AS score FROM moments_text "
          "JOIN moments m ON m.id = moments_text.rowid JOIN videos v ON v.id = m.video_id "
          "WHERE moments_text MATCH ?7" +
          kFilter + ")" + kBestOfEach,
      json_list(filter.videos), people_list(filter.people), json_list(filter.labels), filter.since,
      filter.until, static_cast<int64_t>(most), expression);
  return read_found(rows);
}

std::vector<FoundMoment> SqliteStore::match_people(std::span<const std::string> person_ids,
                                                   const MomentFilter& filter, size_t most) {
  Statement rows(
      database_,
      std::string("WITH found AS (SELECT 0 AS id, m.video_id, 'person' AS kind, "
                  "'p_' || p.number AS of_id, m.start_us, m.end_us, p.name AS text, "
                  "'' AS keyframe, (m.end_us - m.start_us) / 1e6 AS score FROM faces m "
                  "JOIN people p ON p.number = m.person JOIN videos v ON v.id = m.video_id "
                  "WHERE m.current = 1 AND p.hidden = 0 "
                  "AND m.person IN (SELECT value FROM json_each(?7))") +
          kFilter + ")" + kBestOfEach,
      json_list(filter.videos), people_list(filter.people), json_list(filter.labels), filter.since,
      filter.until, static_cast<int64_t>(most), people_list(person_ids));
  return read_found(rows);
}

std::vector<FoundMoment> SqliteStore::match_labels(std::span<const std::string> terms,
                                                   const MomentFilter& filter, size_t most) {
  Statement rows(database_,
                 std::string("WITH found AS (SELECT ") + kMomentColumns +
                     ", (m.end_us - m.start_us) / 1e6 AS score FROM moments m "
                     "JOIN videos v ON v.id = m.video_id "
                     "WHERE m.kind IN ('label', 'object', 'place') "
                     "AND m.terms IN (SELECT value FROM json_each(?7))" +
                     kFilter + ")" + kBestOfEach,
                 json_list(filter.videos), people_list(filter.people), json_list(filter.labels),
                 filter.since, filter.until, static_cast<int64_t>(most), json_list(terms));
  return read_found(rows);
}

std::string SqliteStore::people_list(std::span<const std::string> person_ids) {
  std::vector<int64_t> numbers;
  for (const std::string& id : person_ids) numbers.push_back(person_number(id));
  return nlohmann::json(numbers).dump();
}

}  // namespace prismvid::store

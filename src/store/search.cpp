#include <algorithm>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "store/sql_store.h"
#include "store/text_index.h"

// The search index: moments, with their words in text_index.h.
namespace prismvid::store {

namespace {

/// On `m` (a moment or a face) and `v` (its video). ?1 to ?5 are videos, people, labels (JSON
/// arrays), since and until; ?8 and ?9 begin and end of the range.
constexpr char kFilter[] = R"sql(
  AND (?1 = '[]' OR m.video_id IN (SELECT value FROM json_each(?1)))
  AND NOT EXISTS (SELECT 1 FROM json_each(?2) wanted WHERE NOT EXISTS (
    SELECT 1 FROM faces f WHERE f.person = CAST(wanted.value AS BIGINT) AND f.current = 1
    AND f.video_id = m.video_id AND f.start_us < m.end_us AND f.end_us > m.start_us))
  AND NOT EXISTS (SELECT 1 FROM json_each(?3) wanted WHERE NOT EXISTS (
    SELECT 1 FROM moments o WHERE o.terms = wanted.value AND o.kind IN ('label', 'object', 'place')
    AND o.video_id = m.video_id AND o.start_us < m.end_us AND o.end_us > m.start_us))
  AND v.added_at >= ?4 AND (?5 = '' OR v.added_at <= ?5)
  AND m.end_us > ?8 AND m.start_us < ?9
)sql";

/// The best row of each element and text, and how many rows it stands for.
constexpr char kBestOfEach[] = R"sql(
SELECT id, video_id, kind, of_id, start_us, end_us, text, keyframe, times, score FROM (
  SELECT *, count(*) OVER element AS times,
    row_number() OVER (element ORDER BY score DESC, start_us) AS place
  FROM found WINDOW element AS (PARTITION BY video_id, kind, of_id, text)) placed
WHERE place = 1 ORDER BY score DESC, video_id, start_us, id LIMIT ?6
)sql";

constexpr int64_t kVectorPortion = 20'000;
constexpr size_t kInsertPortion = 100;

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

std::string key_of(const MomentRecord& moment) {
  return nlohmann::json{moment.kind, moment.of,    moment.range.start_us, moment.range.end_us,
                        moment.text, moment.terms, moment.keyframe}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Deletes the moments of a video that are not among these; tells which stay.
void delete_others(Database& database, const std::string& video_id,
                   std::span<const MomentRecord> moments, std::set<std::string>& kept) {
  std::set<std::string> wanted;
  for (const MomentRecord& moment : moments) wanted.insert(key_of(moment));
  std::vector<int64_t> others;
  Statement rows(database,
                 "SELECT id, kind, of_id, start_us, end_us, text, terms, keyframe FROM moments "
                 "WHERE video_id = ?",
                 video_id);
  while (rows.step()) {
    const std::string key = key_of({rows.text(1),
                                    rows.text(2),
                                    {rows.integer(3), rows.integer(4)},
                                    rows.text(5),
                                    rows.text(6),
                                    rows.text(7)});
    if (wanted.contains(key) && kept.insert(key).second) continue;
    others.push_back(rows.integer(0));
  }
  Statement(database,
            "DELETE FROM moments WHERE id IN (SELECT CAST(value AS BIGINT) FROM json_each(?))",
            nlohmann::json(others).dump())
      .run();
}

/// Many rows a statement: each statement goes to the server and back, and counts its words there.
void insert_moments(Database& database, const std::string& video_id,
                    std::span<const MomentRecord* const> moments) {
  for (size_t begin = 0; begin < moments.size(); begin += kInsertPortion) {
    std::string sql =
        "INSERT INTO moments (video_id, kind, of_id, start_us, end_us, text, terms, keyframe) "
        "VALUES";
    std::vector<Value> values;
    for (const MomentRecord* moment :
         moments.subspan(begin, std::min(kInsertPortion, moments.size() - begin))) {
      sql += values.empty() ? " (?, ?, ?, ?, ?, ?, ?, ?)" : ", (?, ?, ?, ?, ?, ?, ?, ?)";
      for (const std::string* text : {&video_id, &moment->kind, &moment->of})
        values.emplace_back(std::string_view(*text));
      values.emplace_back(moment->range.start_us);
      values.emplace_back(moment->range.end_us);
      for (const std::string* text : {&moment->text, &moment->terms, &moment->keyframe})
        values.emplace_back(std::string_view(*text));
    }
    Statement(database, sql, std::span<const Value>(values)).run();
  }
}

}  // namespace

std::vector<UnindexedVideo> SqlStore::unindexed_videos() {
  std::vector<UnindexedVideo> videos;
  Statement rows(database_,
                 "SELECT video_id, sequence, analysis_id FROM documents d WHERE sequence = "
                 "(SELECT max(sequence) FROM documents WHERE video_id = d.video_id) AND NOT EXISTS "
                 "(SELECT 1 FROM indexed_documents i WHERE i.video_id = d.video_id AND i.document = d.sequence)");
  while (rows.step()) videos.push_back({rows.text(0), rows.integer(1), rows.text(2)});
  return videos;
}

void SqlStore::put_moments(const UnindexedVideo& video, std::span<const MomentRecord> moments) {
  Transaction transaction(database_, Lock::kLibrary);
  Statement known(database_, "SELECT 1 FROM videos WHERE id = ?", video.video_id);
  if (!known.step()) return;
  std::set<std::string> kept;
  delete_others(database_, video.video_id, moments, kept);
  std::vector<const MomentRecord*> fresh;
  for (const MomentRecord& moment : moments)
    if (!kept.contains(key_of(moment))) fresh.push_back(&moment);
  insert_moments(database_, video.video_id, fresh);
  Statement(database_,
            "INSERT INTO indexed_documents (video_id, document) VALUES (?, ?) "
            "ON CONFLICT (video_id) DO UPDATE SET document = excluded.document",
            video.video_id, video.document)
      .run();
  transaction.commit();
}

/// `found` is a common table expression without its closing bracket: kMomentColumns and a score of
/// moments or faces `m` and their videos `v`, conditions last. ?7 in it is `wanted`.
std::vector<FoundMoment> SqlStore::best_of(const std::string& found, const std::string& wanted,
                                           const MomentFilter& filter, size_t most) {
  const TimeRange range = filter.range.value_or(TimeRange{INT64_MIN, INT64_MAX});
  Statement rows(database_, "WITH " + found + kFilter + ")" + kBestOfEach,
                 json_list(filter.videos), people_list(filter.people), json_list(filter.labels),
                 filter.since, filter.until, static_cast<int64_t>(most), wanted, range.start_us,
                 range.end_us);
  return read_found(rows);
}

std::vector<FoundMoment> SqlStore::match_phrases(std::span<const std::vector<std::string>> phrases,
                                                 const MomentFilter& filter, size_t most) {
  const std::string wanted = words_wanted(database_.dialect(), phrases);
  if (wanted.empty()) return {};
  return best_of(std::string(words_matched(database_.dialect())) +
                     ", found AS MATERIALIZED (SELECT " + kMomentColumns +
                     ", matched.score FROM matched JOIN moments m ON m.id = matched.id "
                     "JOIN videos v ON v.id = m.video_id WHERE 1 = 1",
                 wanted, filter, most);
}

std::vector<FoundMoment> SqlStore::match_people(std::span<const std::string> person_ids,
                                                const MomentFilter& filter, size_t most) {
  return best_of(
      "found AS (SELECT 0 AS id, m.video_id, 'person' AS kind, "
      "'p_' || p.number AS of_id, m.start_us, m.end_us, p.name AS text, "
      "'' AS keyframe, CAST(m.end_us - m.start_us AS DOUBLE PRECISION) / 1000000 AS "
      "score FROM faces m "
      "JOIN people p ON p.number = m.person JOIN videos v ON v.id = m.video_id "
      "WHERE m.current = 1 AND p.hidden = 0 "
      "AND m.person IN (SELECT CAST(value AS BIGINT) FROM json_each(?7))",
      people_list(person_ids), filter, most);
}

std::vector<FoundMoment> SqlStore::match_labels(std::span<const std::string> terms,
                                                const MomentFilter& filter, size_t most) {
  return best_of(
      std::string("found AS (SELECT ") + kMomentColumns +
          ", CAST(m.end_us - m.start_us AS DOUBLE PRECISION) / 1000000 AS score FROM moments m "
          "JOIN videos v ON v.id = m.video_id "
          "WHERE m.kind IN ('label', 'object', 'place') "
          "AND m.terms IN (SELECT value FROM json_each(?7))",
      json_list(terms), filter, most);
}

std::vector<UnembeddedMoment> SqlStore::unembedded_moments(const std::string& space, size_t most) {
  std::vector<UnembeddedMoment> moments;
  Statement rows(database_,
                 "SELECT id, text FROM moments m WHERE kind <> 'object' AND NOT EXISTS (SELECT 1 "
                 "FROM moment_vectors v WHERE v.moment = m.id AND v.space = ?) LIMIT ?",
                 space, static_cast<int64_t>(most));
  while (rows.step()) moments.push_back({rows.integer(0), rows.text(1)});
  return moments;
}

void SqlStore::put_vectors(const std::string& space, std::span<const MomentVector> vectors) {
  Transaction transaction(database_, Lock::kLibrary);
  for (const MomentVector& vector : vectors) {
    std::vector<uint8_t> bytes(vector.halves.size() * sizeof(uint16_t));
    std::memcpy(bytes.data(), vector.halves.data(), bytes.size());
    Statement(database_,
              "INSERT INTO moment_vectors (moment, space, vector) "
              "SELECT id, ?, ? FROM moments WHERE id = ? ON CONFLICT (moment, space) DO NOTHING",
              space, bytes, vector.moment)
        .run();
  }
  transaction.commit();
}

int64_t SqlStore::count_vectors(const std::string& space) {
  Statement row(database_, "SELECT count(*) FROM moment_vectors WHERE space = ?", space);
  return row.step() ? row.integer(0) : 0;
}

VectorRows SqlStore::vectors_after(const std::string& space, int64_t id) {
  VectorRows vectors;
  // In portions: a client of PostgreSQL has all rows of a statement in memory.
  for (size_t known = 1; known > 0;) {
    Statement rows(database_,
                   "SELECT id, vector FROM moment_vectors WHERE space = ? AND id > ? "
                   "ORDER BY id LIMIT ?",
                   space, vectors.ids.empty() ? id : vectors.ids.back(), kVectorPortion);
    for (known = 0; rows.step(); ++known) {
      const std::vector<uint8_t> bytes = rows.bytes(1);
      const size_t count = bytes.size() / sizeof(uint16_t);
      vectors.ids.push_back(rows.integer(0));
      vectors.halves.resize(vectors.halves.size() + count);
      std::memcpy(vectors.halves.data() + vectors.halves.size() - count, bytes.data(),
                  count * sizeof(uint16_t));
    }
  }
  return vectors;
}

std::vector<FoundMoment> SqlStore::match_vectors(std::span<const ScoredVector> vectors,
                                                 const MomentFilter& filter, size_t most) {
  nlohmann::json list = nlohmann::json::array();
  for (const ScoredVector& vector : vectors) list.push_back({vector.id, vector.score});
  return best_of(std::string("found AS (SELECT ") + kMomentColumns +
                     ", CAST(json_extract(wanted.value, '$[1]') AS DOUBLE PRECISION) AS score "
                     "FROM json_each(?7) wanted JOIN moment_vectors x "
                     "ON x.id = CAST(json_extract(wanted.value, '$[0]') AS BIGINT) "
                     "JOIN moments m ON m.id = x.moment JOIN videos v ON v.id = m.video_id "
                     "WHERE 1 = 1",
                 list.dump(), filter, most);
}

std::string SqlStore::people_list(std::span<const std::string> person_ids) {
  std::vector<int64_t> numbers;
  for (const std::string& id : person_ids) numbers.push_back(person_number(id));
  return nlohmann::json(numbers).dump();
}

}  // namespace prismvid::store

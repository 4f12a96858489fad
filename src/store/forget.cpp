#include <nlohmann/json.hpp>

#include "core/error.h"
#include "store/sql_store.h"

// Deletion: of a video with all that came from it, and of a person everywhere.
namespace prismvid::store {

namespace {

template <typename Key>
int64_t count(Database& database, const std::string& sql, const Key& value) {
  Statement row(database, sql, value);
  return row.step() ? row.integer(0) : 0;
}

/// The person and all who were merged into it, however often.
std::vector<int64_t> with_merged(Database& database, int64_t person) {
  std::vector<int64_t> numbers;
  Statement rows(database,
                 "WITH RECURSIVE chain (number) AS (SELECT ? UNION SELECT p.number FROM people p "
                 "JOIN chain c ON p.merged_into = c.number) SELECT number FROM chain",
                 person);
  while (rows.step()) numbers.push_back(rows.integer(0));
  return numbers;
}

int64_t delete_blob(Database& database, const std::string& cache_key, const std::string& name) {
  Statement(database, "DELETE FROM blobs WHERE cache_key = ? AND name = ?", cache_key, name).run();
  return database.changes();
}

/// Vectors and thumbnails of the person's tracks, in every stored run of the faces stage.
void forget_faces(Database& database, int64_t person, Removed& removed) {
  Statement rows(database, "SELECT cache_key, track FROM faces WHERE person = ?", person);
  while (rows.step()) {
    const auto track = static_cast<size_t>(rows.integer(1));
    removed.vectors += delete_blob(database, rows.text(0), vector_blob(track));
    removed.pictures += delete_blob(database, rows.text(0), thumbnail_blob(track));
  }
  // Runs that are no longer current may hold the face under no person's name: they go whole.
  Statement(database,
            "DELETE FROM stages WHERE cache_key IN (SELECT DISTINCT cache_key FROM faces "
            "WHERE current = 0 AND video_id IN (SELECT video_id FROM faces WHERE person = ?))",
            person)
      .run();
  removed.stages += database.changes();
  // Nobody knows whom the pictures of a run show that goes on or was killed.
  Statement(database,
            "DELETE FROM early_blobs WHERE name LIKE 'thumb%' AND video_id IN (SELECT video_id FROM faces WHERE person = ?)",
            person)
      .run();
  removed.pictures += database.changes();
  Statement(database, "DELETE FROM faces WHERE person = ?", person).run();
  removed.face_tracks += database.changes();
}

/// Each of the documents that `rows` gives with its number.
void rewrite_documents(Database& database, Statement rows, const DocumentRewriter& rewrite,
                       Removed& removed) {
  std::vector<std::pair<int64_t, std::string>> documents;
  while (rows.step()) documents.emplace_back(rows.integer(0), rows.text(1));
  for (const auto& [sequence, json] : documents) {
    const std::string text = rewrite(json);
    if (text == json) continue;
    Statement(database, "UPDATE documents SET json = ? WHERE sequence = ?", text, sequence).run();
    ++removed.documents;
  }
}

void forget_in_documents(Database& database, const std::string& person_id,
                         const DocumentRewriter& rewrite, Removed& removed) {
  rewrite_documents(database,
                    Statement(database,
                              "SELECT sequence, json FROM documents WHERE instr(json, ?) > 0",
                              "\"" + person_id + "\""),
                    rewrite, removed);
}

void forget_edits(Database& database, const std::string& person_id, Removed& removed) {
  Statement(database, "DELETE FROM edits WHERE target = ? OR instr(value_json, ?) > 0", person_id,
            "\"" + person_id + "\"")
      .run();
  removed.edits += database.changes();
}

/// FTS5 only marks words as deleted; writing the index anew leaves them out.
void forget_words(Database& database) {
  if (database.dialect() == Dialect::kSqlite)
    database.execute("INSERT INTO moments_text (moments_text) VALUES ('optimize')");
}

}  // namespace

Removed SqlStore::delete_video(const std::string& video_id) {
  Removed removed;
  {
    Transaction transaction(database_, Lock::kLibrary);
    auto counted = [&](const char* sql) { return count(database_, sql, video_id); };
    check(counted("SELECT count(*) FROM videos WHERE id = ?") == 1, ErrorCode::kNotFound,
          "there is no video '", video_id, "'");
    removed.documents = counted("SELECT count(*) FROM documents WHERE video_id = ?");
    removed.stages = counted("SELECT count(*) FROM stages WHERE video_id = ?");
    removed.face_tracks = counted("SELECT count(*) FROM faces WHERE video_id = ?");
    removed.edits = counted("SELECT count(*) FROM edits WHERE video_id = ?");
    const std::string blobs =
        "SELECT count(*) FROM blobs b JOIN stages s USING (cache_key) WHERE s.video_id = ? ";
    removed.pictures = counted((blobs + "AND b.name LIKE '%.jpg'").c_str()) +
                       counted("SELECT count(*) FROM early_blobs WHERE video_id = ?");
    removed.vectors = counted((blobs + "AND b.name LIKE '%.f32'").c_str());
    Statement(database_,
              "DELETE FROM files WHERE sha256 = (SELECT sha256 FROM videos WHERE id = ?)", video_id)
        .run();
    Statement(database_, "DELETE FROM videos WHERE id = ?", video_id).run();
    removed.people = remove_empty_people();
    forget_words(database_);
    transaction.commit();
  }
  removed.wiped = database_.wipe();
  return removed;
}

Removed SqlStore::forget_person(const std::string& person_id, const DocumentRewriter& rewrite) {
  Removed removed;
  {
    Transaction transaction(database_, Lock::kLibrary);
    const auto numbers = with_merged(database_, person_number(person_id));
    for (int64_t number : numbers) {
      forget_faces(database_, number, removed);
      forget_in_documents(database_, prefixed("p", number), rewrite, removed);
      forget_edits(database_, prefixed("p", number), removed);
      removed.vectors +=
          count(database_, "SELECT count(*) FROM negatives WHERE person = ?", number);
    }
    // The merged ones and the negatives go with it.
    Statement(database_, "DELETE FROM people WHERE number = ?", numbers.front()).run();
    removed.people = static_cast<int64_t>(numbers.size());
    forget_words(database_);
    transaction.commit();
  }
  removed.wiped = database_.wipe();
  return removed;
}

Removed SqlStore::forget_everybody(const DocumentRewriter& rewrite) {
  Removed removed;
  {
    Transaction transaction(database_, Lock::kLibrary);
    const auto number = [&](const std::string& sql) { return database_.integer(sql); };
    const auto drop = [&](const char* sql) {
      Statement(database_, sql).run();
      return database_.changes();
    };
    const std::string blobs =
        "SELECT count(*) FROM blobs JOIN stages USING (cache_key) WHERE stage = 'faces' AND name ";
    removed.pictures = number(blobs + "LIKE '%.jpg'") + drop("DELETE FROM early_blobs WHERE name LIKE 'thumb%'");
    removed.vectors = number(blobs + "LIKE '%.f32'") + number("SELECT count(*) FROM negatives");
    removed.face_tracks = number("SELECT count(*) FROM faces");
    rewrite_documents(database_, Statement(database_, "SELECT sequence, json FROM documents"), rewrite,
                      removed);
    removed.stages = drop("DELETE FROM stages WHERE stage = 'faces'");
    drop("DELETE FROM faces");
    drop("DELETE FROM negatives");
    removed.people = number("SELECT count(*) FROM people");
    drop("DELETE FROM people");
    removed.edits = drop("DELETE FROM edits WHERE op LIKE '%_person'");
    forget_words(database_);
    transaction.commit();
  }
  removed.wiped = database_.wipe();
  return removed;
}

}  // namespace prismvid::store

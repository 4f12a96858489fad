#include <nlohmann/json.hpp>

#include "core/error.h"
#include "store/sql_store.h"

// People of the library and what users decide about them.
namespace prismvid::store {

namespace {

constexpr char kPersonColumns[] =
    "SELECT p.number, p.name, p.hidden, p.created_at, count(f.id), count(DISTINCT f.video_id), "
    "CAST(coalesce(sum(f.end_us - f.start_us), 0) AS BIGINT) AS seen FROM people p "
    "LEFT JOIN faces f ON f.person = p.number AND f.current = 1 "
    "WHERE p.merged_into IS NULL ";

PersonRecord read_person(const Statement& row) {
  return {prefixed("p", row.integer(0)),
          row.text(1),
          row.integer(2) != 0,
          row.text(3),
          row.integer(4),
          row.integer(5),
          row.integer(6)};
}

}  // namespace

int64_t SqlStore::person_number(const std::string& person_id) {
  const auto number = numbered("p", person_id);
  check(number.has_value(), ErrorCode::kNotFound, "'", person_id,
        "' is not a person's id (p_12); 'prismvid people list' shows them");
  // A merge cannot make a circle: only people not merged away take part in one.
  Statement row(database_,
                "WITH RECURSIVE chain (number, merged_into) AS ("
                "  SELECT number, merged_into FROM people WHERE number = ?"
                "  UNION SELECT p.number, p.merged_into FROM people p "
                "  JOIN chain c ON p.number = c.merged_into) "
                "SELECT number FROM chain WHERE merged_into IS NULL",
                *number);
  check(row.step(), ErrorCode::kNotFound, "there is no person ", person_id,
        "; 'prismvid people list' shows them");
  return row.integer(0);
}

int64_t SqlStore::insert_person(const std::string& name) {
  Statement added(database_,
                  "INSERT INTO people (name, created_at) VALUES (?, time_text(0)) RETURNING number",
                  name);
  return *added.returned();
}

std::string SqlStore::create_person(const std::string& name) {
  return prefixed("p", insert_person(name));
}

int64_t SqlStore::remove_empty_people() {
  // Somebody merged away stays, so that old ids keep working and the merge can be undone.
  Statement(database_,
            "DELETE FROM people WHERE name = '' AND hidden = 0 AND merged_into IS NULL "
            "AND number NOT IN (SELECT person FROM faces "
            "                   WHERE person IS NOT NULL AND (current = 1 OR by_human = 1)) "
            "AND number NOT IN (SELECT merged_into FROM people WHERE merged_into IS NOT NULL)")
      .run();
  return database_.changes();
}

std::vector<PersonRecord> SqlStore::people() {
  std::vector<PersonRecord> all;
  Statement rows(database_, std::string(kPersonColumns) +
                                "GROUP BY p.number ORDER BY p.name = '', seen DESC, p.number");
  while (rows.step()) all.push_back(read_person(rows));
  return all;
}

std::optional<PersonRecord> SqlStore::find_person(const std::string& id_or_name) {
  Transaction snapshot(database_, TransactionKind::kRead);
  if (const auto number = numbered("p", id_or_name)) {
    if (database_.integer("SELECT count(*) FROM people WHERE number = " +
                          std::to_string(*number)) == 0)
      return std::nullopt;
    Statement row(database_, std::string(kPersonColumns) + "AND p.number = ? GROUP BY p.number",
                  person_number(id_or_name));
    if (!row.step()) return std::nullopt;
    return read_person(row);
  }
  if (id_or_name.empty()) return std::nullopt;
  Statement rows(database_, std::string(kPersonColumns) + "AND p.name = ? GROUP BY p.number",
                 id_or_name);
  if (!rows.step()) return std::nullopt;
  const PersonRecord person = read_person(rows);
  check(!rows.step(), ErrorCode::kInvalidArgument, "several people are called '", id_or_name,
        "': give the id, for example ", person.id);
  return person;
}

std::optional<std::vector<uint8_t>> SqlStore::person_picture(const std::string& person_id) {
  Statement row(database_,
                "SELECT b.bytes FROM faces f JOIN blobs b ON b.cache_key = f.cache_key "
                "AND b.name = 'thumb_' || f.track || '.jpg' WHERE f.person = ? AND f.current = 1 "
                "ORDER BY f.quality DESC, f.id LIMIT 1",
                person_number(person_id));
  if (!row.step()) return std::nullopt;
  return row.bytes(0);
}

int64_t SqlStore::record_person_edit(const char* op, int64_t person, const Json& value,
                                     const Json& before) {
  EditRecord edit;
  edit.op = op;
  edit.target = prefixed("p", person);
  edit.value_json = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return record_edit(edit, before);
}

std::string SqlStore::name_person(const std::string& person_id, const std::string& name) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t person = person_number(person_id);
  Statement row(database_, "SELECT name FROM people WHERE number = ?", person);
  row.step();
  const Json before = {{"name", row.text(0)}};
  Statement(database_, "UPDATE people SET name = ? WHERE number = ?", name, person).run();
  const int64_t edit = record_person_edit("name_person", person, name, before);
  transaction.commit();
  return prefixed("e", edit);
}

std::string SqlStore::hide_person(const std::string& person_id, bool hidden) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t person = person_number(person_id);
  const Json before = {{"hidden", database_.integer("SELECT hidden FROM people WHERE number = " +
                                                    std::to_string(person)) != 0}};
  Statement(database_, "UPDATE people SET hidden = ? WHERE number = ?", hidden ? 1 : 0, person)
      .run();
  const int64_t edit = record_person_edit("hide_person", person, hidden, before);
  transaction.commit();
  return prefixed("e", edit);
}

std::string SqlStore::merge_people(const std::string& into_id, const std::string& from_id) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t into = person_number(into_id);
  const int64_t from = person_number(from_id);
  check(into != from, ErrorCode::kInvalidArgument, into_id, " and ", from_id,
        " are the same person already");
  Json before = {{"from", from}, {"faces", Json::array()}, {"negatives", Json::array()}};
  Statement faces(database_, "SELECT id, by_human FROM faces WHERE person = ?", from);
  while (faces.step()) before["faces"].push_back({faces.integer(0), faces.integer(1)});
  Statement negatives(database_, "SELECT id FROM negatives WHERE person = ?", from);
  while (negatives.step()) before["negatives"].push_back(negatives.integer(0));
  Statement name(database_, "SELECT name FROM people WHERE number = ?", into);
  name.step();
  before["name"] = name.text(0);

  Statement(database_, "UPDATE faces SET person = ?, by_human = 1 WHERE person = ?", into, from)
      .run();
  Statement(database_, "UPDATE negatives SET person = ? WHERE person = ?", into, from).run();
  Statement(database_, "UPDATE people SET merged_into = ? WHERE number = ?", into, from).run();
  Statement(database_,
            "UPDATE people SET name = (SELECT name FROM people WHERE number = ?) "
            "WHERE number = ? AND name = ''",
            from, into)
      .run();
  const int64_t edit = record_person_edit("merge_person", into, prefixed("p", from), before);
  transaction.commit();
  return prefixed("e", edit);
}

nlohmann::json SqlStore::faces_before(int64_t person, std::span<const int64_t> face_ids) {
  check(!face_ids.empty(), ErrorCode::kInvalidArgument, "no face was named");
  Json faces = Json::array();
  for (int64_t id : face_ids) {
    Statement row(database_, "SELECT by_human FROM faces WHERE id = ? AND person = ?", id, person);
    check(row.step(), ErrorCode::kNotFound, "face ", id, " is not one of ", prefixed("p", person),
          "; 'prismvid people show ", prefixed("p", person), "' shows them");
    faces.push_back({id, row.integer(0)});
  }
  return faces;
}

Store::Split SqlStore::split_person(const std::string& person_id,
                                    std::span<const int64_t> face_ids) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t person = person_number(person_id);
  const Json faces = faces_before(person, face_ids);
  const int64_t fresh = insert_person("");
  for (int64_t id : face_ids)
    Statement(database_, "UPDATE faces SET person = ?, by_human = 1 WHERE id = ?", fresh, id).run();
  const int64_t edit = record_person_edit("split_person", person, prefixed("p", fresh),
                                          {{"new", fresh}, {"faces", faces}});
  transaction.commit();
  return {prefixed("e", edit), prefixed("p", fresh)};
}

std::string SqlStore::not_person(const std::string& person_id, std::span<const int64_t> face_ids) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t person = person_number(person_id);
  const Json faces = faces_before(person, face_ids);
  const int64_t edit = record_person_edit(
      "not_person", person, Json(std::vector<int64_t>(face_ids.begin(), face_ids.end())),
      {{"faces", faces}});
  for (int64_t id : face_ids) {
    Statement(database_,
              "INSERT INTO negatives (person, edit, video_id, space, vector, best_us, x0, y0, x1, "
              "y1) SELECT f.person, ?, f.video_id, f.space, b.bytes, f.best_us, f.x0, f.y0, f.x1, "
              "f.y1 FROM faces f JOIN blobs b ON b.cache_key = f.cache_key "
              "AND b.name = 'vector_' || f.track || '.f32' WHERE f.id = ?",
              edit, id)
        .run();
    Statement(database_, "UPDATE faces SET person = NULL, by_human = 0 WHERE id = ?", id).run();
  }
  transaction.commit();
  return prefixed("e", edit);
}

}  // namespace prismvid::store

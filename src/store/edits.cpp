#include <nlohmann/json.hpp>

#include "core/error.h"
#include "store/sql_store.h"

// The overlay of human decisions and how each is taken back.
namespace prismvid::store {

namespace {

constexpr int64_t kNobody = 0;  // people's numbers begin at 1

}  // namespace

int64_t SqlStore::record_edit(const EditRecord& edit, const Json& before) {
  std::optional<std::string> video;
  if (!edit.video_id.empty()) video = edit.video_id;
  const std::string before_json = before.dump();
  Statement added(database_,
                  "INSERT INTO edits (video_id, op, target, value_json, before_json, \"user\", at) "
                  "VALUES (?, ?, ?, ?, ?, ?, time_text(0)) RETURNING number",
                  video, edit.op, edit.target, edit.value_json, before_json, edit.user);
  return *added.returned();
}

std::string SqlStore::add_edit(const EditRecord& edit) {
  return prefixed("e", record_edit(edit, Json::object()));
}

std::vector<EditRecord> SqlStore::edits(const std::string& video_id) {
  std::vector<EditRecord> all;
  Statement rows(
      database_,
      "SELECT number, coalesce(video_id, ''), op, target, value_json, \"user\", at, undone_at "
      "FROM edits WHERE coalesce(video_id, '') = ? AND undone_at = '' ORDER BY number",
      video_id);
  while (rows.step()) {
    all.push_back({prefixed("e", rows.integer(0)), rows.text(1), rows.text(2), rows.text(3),
                   rows.text(4), rows.text(5), rows.text(6), rows.text(7)});
  }
  return all;
}

void SqlStore::undo(const std::string& edit_id) {
  Transaction transaction(database_, Lock::kLibrary);
  const int64_t number = numbered("e", edit_id).value_or(0);
  Statement row(database_, "SELECT op, target, before_json, undone_at FROM edits WHERE number = ?",
                number);
  check(row.step(), ErrorCode::kNotFound, "there is no edit '", edit_id, "'");
  check(row.text(3).empty(), ErrorCode::kInvalidArgument, "edit ", edit_id, " was undone at ",
        row.text(3));
  if (const auto person = numbered("p", row.text(1)))
    undo_people_edit(row.text(0), number, *person, Json::parse(row.text(2)));
  Statement(database_, "UPDATE edits SET undone_at = time_text(0) WHERE number = ?", number).run();
  transaction.commit();
}

void SqlStore::undo_people_edit(const std::string& op, int64_t edit, int64_t target,
                                const Json& before) {
  // Faces that another decision moved meanwhile stay where that one put them.
  auto give_back = [&](int64_t from, int64_t to) {
    for (const Json& face : before.at("faces")) {
      Statement(database_,
                "UPDATE faces SET person = ?, by_human = ? "
                "WHERE id = ? AND coalesce(person, 0) = ?",
                to, face[1].get<int64_t>(), face[0].get<int64_t>(), from)
          .run();
    }
  };
  auto rename = [&] {
    Statement(database_, "UPDATE people SET name = ? WHERE number = ?",
              before.at("name").get<std::string>(), target)
        .run();
  };
  if (op == "name_person") rename();
  if (op == "hide_person") {
    Statement(database_, "UPDATE people SET hidden = ? WHERE number = ?",
              before.at("hidden").get<bool>() ? 1 : 0, target)
        .run();
  }
  if (op == "merge_person") {
    const int64_t from = before.at("from").get<int64_t>();
    Statement(database_, "UPDATE people SET merged_into = NULL WHERE number = ?", from).run();
    give_back(target, from);
    for (const Json& id : before.at("negatives"))
      Statement(database_, "UPDATE negatives SET person = ? WHERE id = ?", from, id.get<int64_t>())
          .run();
    if (before.at("name").get<std::string>().empty()) rename();
  }
  if (op == "split_person") {
    give_back(before.at("new").get<int64_t>(), target);
    remove_empty_people();
  }
  if (op == "not_person") {
    Statement(database_, "DELETE FROM negatives WHERE edit = ?", edit).run();
    give_back(kNobody, target);
  }
}

}  // namespace prismvid::store

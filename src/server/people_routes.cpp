#include <algorithm>
#include <set>

#include "core/stage_output.h"
#include "document/apply_edits.h"
#include "document/build.h"
#include "document/json.h"
#include "server/json_body.h"
#include "server/service.h"

// People of the library and what users decide about them; edits of one video.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kMaxRequestBytes = 64 << 10;
constexpr size_t kLongestName = 200;
constexpr size_t kLongestText = 4000;
constexpr size_t kLongestTitle = 80;

store::PersonRecord require_person(store::Store& store, const std::string& id) {
  const auto person = store.find_person(id);
  check(person.has_value(), ErrorCode::kNotFound, "there is no person '", id, "'");
  return *person;
}

Json person_json(const store::PersonRecord& person) {
  return {{"id", person.id},
          {"name", person.name.empty() ? Json() : Json(person.name)},
          {"status", person.hidden ? "hidden" : person.name.empty() ? "unknown" : "named"},
          {"hidden", person.hidden},
          {"face_tracks", person.face_tracks},
          {"videos", person.videos},
          {"seen_seconds", document::seconds(person.seen_us)},
          {"thumb", person.face_tracks > 0 ? Json("/v1/people/" + person.id + "/thumb.jpg") : Json()},
          {"created_at", person.created_at}};
}

Response list_people(Request&, Context& context) {
  Json people = Json::array();
  for (const auto& person : context.stores.borrow()->people()) people.push_back(person_json(person));
  return json_response({{"people", people}});
}

Response get_person(Request& request, Context& context) {
  const auto store = context.stores.borrow();
  const auto person = require_person(*store, request.value("id"));
  Json json = person_json(person);
  json["faces"] = Json::array();
  std::map<std::string, std::string> names;
  for (const auto& card : context.documents.cards()) names[card->id] = card->name;
  for (const auto& face : store->faces_of_person(person.id))
    json["faces"].push_back({{"id", face.id},
                             {"video", face.video_id},
                             {"name", names[face.video_id]},
                             {"start", document::seconds(face.range.start_us)},
                             {"end", document::seconds(face.range.end_us)},
                             {"by", face.by == store::AssignedBy::kHuman ? "human" : "auto"},
                             {"thumb", "/v1/videos/" + face.video_id + "/pictures/faces/" + thumbnail_blob(static_cast<size_t>(face.track))}});
  return json_response(json);
}

Response get_thumb(Request& request, Context& context) {
  const auto store = context.stores.borrow();
  const auto person = require_person(*store, request.value("id"));
  const auto jpeg = store->person_picture(person.id);
  check(jpeg.has_value(), ErrorCode::kNotFound, "there is no picture of ", person.id);
  return {200, "image/jpeg", {}, std::string(jpeg->begin(), jpeg->end())};
}

Response edit_json(const std::string& edit_id, const store::PersonRecord& person) {
  Json json = person_json(person);
  json["edit_id"] = edit_id;
  return json_response(json);
}

Response patch_person(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"name", "hidden"});
  const auto store = context.stores.borrow();
  const auto person = require_person(*store, request.value("id"));
  const auto name = string_key(body, "name");
  const auto hidden = flag_key(body, "hidden");
  if (name.has_value() == hidden.has_value()) wrong_key("name or hidden", "given, one of them");
  if (name && (name->empty() || name->size() > kLongestName)) wrong_key("name", "1 to 200 bytes long");
  const std::string edit = name ? store->name_person(person.id, *name) : store->hide_person(person.id, *hidden);
  return edit_json(edit, require_person(*store, person.id));
}

Response merge_people(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"from"});
  const auto store = context.stores.borrow();
  const auto into = require_person(*store, request.value("id"));
  if (!body.contains("from") || !body["from"].is_array() || body["from"].empty()) wrong_key("from", "a list of ids of people");
  // All are looked at before any is changed.
  std::set<std::string> others;
  for (const auto& id : body["from"]) {
    if (!id.is_string()) wrong_key("from", "a list of ids of people");
    const auto other = require_person(*store, id.get<std::string>());
    if (other.id == into.id) throw HttpError(409, "same_person", "'" + id.get<std::string>() + "' is that person already");
    others.insert(other.id);
  }
  Json edits = Json::array();
  for (const std::string& other : others) edits.push_back(store->merge_people(into.id, other));
  Json json = person_json(require_person(*store, into.id));
  json["edit_id"] = edits.back();
  json["edit_ids"] = edits;
  return json_response(json);
}

std::vector<int64_t> faces_of(const BodyJson& body) {
  std::vector<int64_t> faces;
  if (!body.contains("faces") || !body["faces"].is_array() || body["faces"].empty()) wrong_key("faces", "a list of numbers of faces");
  for (const auto& face : body["faces"]) {
    if (!face.is_number_integer()) wrong_key("faces", "a list of numbers of faces");
    faces.push_back(face.get<int64_t>());
  }
  return faces;
}

Response split_person(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"faces"});
  const auto store = context.stores.borrow();
  const auto split = store->split_person(require_person(*store, request.value("id")).id, faces_of(body));
  return edit_json(split.edit_id, require_person(*store, split.person_id));
}

Response not_person(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"faces"});
  const auto store = context.stores.borrow();
  const auto person = require_person(*store, request.value("id"));
  const std::string edit = store->not_person(person.id, faces_of(body));
  // An unnamed person without any face left is gone.
  return edit_json(edit, store->find_person(person.id).value_or(person));
}

Response forget_person(Request& request, Context& context) {
  const auto store = context.stores.borrow();
  const auto person = require_person(*store, request.value("id"));
  const store::Removed removed = store->forget_person(person.id, [&](const std::string& text) {
    return document::to_text(document::to_json(document::without_person(document::parse_document(text), person.id)));
  });
  return json_response({{"person", person.id},
                        {"removed",
                         {{"face_tracks", removed.face_tracks},
                          {"vectors", removed.vectors},
                          {"pictures", removed.pictures},
                          {"edits", removed.edits},
                          {"documents_rewritten", removed.documents}}},
                        {"wiped", removed.wiped}});
}

/// What a person says of one video's texts; no new analysis takes it back.
Response post_edit(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"op", "target", "value"});
  document::Edit edit;
  edit.op = required_string(body, "op");
  edit.target = required_string(body, "target");
  if (!document::is_text_edit(edit.op)) wrong_key("op", "one of set_text, set_caption, set_chapter");
  const std::string value = required_string(body, "value");
  if (value.size() > kLongestText) wrong_key("value", "4000 bytes at most");
  if (edit.op == "set_chapter" && value.size() > kLongestTitle) wrong_key("value", "80 bytes at most for a chapter's title");
  const auto published = context.documents.get(request.value("id"));
  check(document::has_target(published->document, edit), ErrorCode::kNotFound, "video ", request.value("id"), " has nothing '",
        edit.target, "' that ", edit.op, " could change");
  store::EditRecord record;
  record.video_id = request.value("id");
  record.op = edit.op;
  record.target = edit.target;
  record.value_json = document::to_text(value);
  if (!request.key_id.empty()) record.user = request.key_id;
  const std::string id = context.stores.borrow()->add_edit(record);
  return json_response({{"edit_id", id}, {"op", record.op}, {"target", record.target}, {"value", value}}, 201);
}

Response undo_edit(Request& request, Context& context) {
  context.stores.borrow()->undo(request.value("edit"));
  return json_response({{"undone", request.value("edit")}});
}

}  // namespace

void add_people_routes(Router& router, Context& context) {
  const auto add = [&](const char* method, const char* path, Scope scope, const char* summary,
                       Response (*run)(Request&, Context&), const char* body = "") {
    router.add({method, path, scope, summary, [&context, run](Request& request) { return run(request, context); },
                *body ? kMaxRequestBytes : 0, {}, body});
  };
  add("GET", "/v1/people", Scope::kRead, "Everybody found so far, named ones first", list_people);
  add("GET", "/v1/people/{id}", Scope::kRead, "A person and where it is seen", get_person);
  add("GET", "/v1/people/{id}/thumb.jpg", Scope::kRead, "A person's best picture", get_thumb);
  add("PATCH", "/v1/people/{id}", Scope::kWrite, "Names, hides or shows a person", patch_person, "PersonEdit");
  add("DELETE", "/v1/people/{id}", Scope::kWrite, "Forgets a person with all faces, vectors and pictures", forget_person);
  add("POST", "/v1/people/{id}/merge", Scope::kWrite, "Makes others part of this person", merge_people, "MergeRequest");
  add("POST", "/v1/people/{id}/split", Scope::kWrite, "Makes a new person of some faces", split_person, "FacesRequest");
  add("POST", "/v1/people/{id}/not", Scope::kWrite, "Says that faces are not this person", not_person, "FacesRequest");
  add("POST", "/v1/videos/{id}/edits", Scope::kWrite, "Corrects a text, a caption or a chapter's title", post_edit, "EditRequest");
  add("DELETE", "/v1/videos/{id}/edits/{edit}", Scope::kWrite, "Takes an edit back", undo_edit);
  add("DELETE", "/v1/edits/{edit}", Scope::kWrite, "Takes an edit back", undo_edit);
}

}  // namespace prismvid::server

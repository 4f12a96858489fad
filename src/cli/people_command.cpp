#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/help.h"
#include "core/media_time.h"
#include "document/build.h"
#include "document/json.h"

namespace prismvid::cli {
namespace {

using nlohmann::json;
using store::Store;

constexpr const char* kHelp = R"(People are found by their faces, in all videos of a database. What is said here holds for later analyses too.
Every edit but 'forget' can be taken back.

Examples:
  prismvid people list
  prismvid people show p_1 --picture anna.jpg     where p_1 is seen, and the best picture
  prismvid people name p_1 "Anna"
  prismvid people merge Anna p_7                  p_7 is Anna too
  prismvid people split Anna 12 15                faces 12 and 15 are somebody else, one person
  prismvid people not Anna 12                     face 12 is not Anna, whoever it is
  prismvid people forget p_3                      nothing of p_3 stays in the database)";

struct PeopleArguments {
  CommonOptions common;
  std::string person;
  std::string name;
  std::vector<std::string> others;
  std::vector<int64_t> faces;
  std::filesystem::path output;
};

using Arguments = std::shared_ptr<PeopleArguments>;

std::string require_person(Store& store, const std::string& id_or_name) {
  const auto person = store.find_person(id_or_name);
  check(person.has_value(), ErrorCode::kNotFound, "no person '", id_or_name, "': 'prismvid people list' shows all");
  return person->id;
}

void say_undoable(const std::string& what, const std::string& edit_id) {
  std::cout << what << " (undo with 'prismvid people undo " << edit_id << "')\n";
}

void list_people(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::vector<store::PersonRecord> people = store->people();
  if (arguments.common.json()) {
    json list = json::array();
    for (const auto& person : people)
      list.push_back({{"id", person.id},
                      {"name", person.name.empty() ? json() : json(person.name)},
                      {"hidden", person.hidden},
                      {"face_tracks", person.face_tracks},
                      {"videos", person.videos},
                      {"seen_seconds", static_cast<double>(person.seen_us) / 1e6}});
    std::cout << list.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
    return;
  }
  if (people.empty()) std::cout << "Nobody yet: 'prismvid analyze' finds people by their faces.\n";
  for (const auto& person : people)
    std::cout << std::left << std::setw(14) << person.id << ' ' << std::setw(24)
              << (person.name.empty() ? "(no name)" : person.name) << ' ' << person.face_tracks << " tracks in "
              << person.videos << " videos, seen " << format_clock(person.seen_us) << (person.hidden ? ", hidden" : "")
              << '\n';
}

void show_person(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::string id = require_person(*store, arguments.person);
  if (!arguments.output.empty()) {
    const auto jpeg = store->person_picture(id);
    check(jpeg.has_value(), ErrorCode::kNotFound, "there is no picture of ", id);
    std::ofstream stream(arguments.output, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(jpeg->data()), static_cast<std::streamsize>(jpeg->size()));
    check(static_cast<bool>(stream.flush()), ErrorCode::kUnreadable, "cannot write '", arguments.output.string(), "'");
  }
  json list = json::array();
  for (const auto& face : store->faces_of_person(id)) {
    const auto video = store->find_video(face.video_id);
    const std::string path = video ? video->path : face.video_id;
    if (arguments.common.json()) {
      list.push_back({{"face", face.id},
                      {"video", face.video_id},
                      {"path", path},
                      {"start", static_cast<double>(face.range.start_us) / 1e6},
                      {"end", static_cast<double>(face.range.end_us) / 1e6},
                      {"by", face.by == store::AssignedBy::kHuman ? "human" : "auto"}});
    } else {
      std::cout << "face " << std::left << std::setw(8) << face.id << ' ' << format_clock(face.range.start_us) << " to "
                << format_clock(face.range.end_us) << "  " << path
                << (face.by == store::AssignedBy::kHuman ? "  (by hand)" : "") << '\n';
    }
  }
  if (arguments.common.json()) std::cout << list.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
}

void name_person(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::string id = require_person(*store, arguments.person);
  check(!arguments.name.empty(), ErrorCode::kInvalidArgument, "a name must not be empty");
  say_undoable(id + " is now '" + arguments.name + "'", store->name_person(id, arguments.name));
}

void merge_people(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::string into = require_person(*store, arguments.person);
  for (const std::string& other : arguments.others) {
    const std::string from = require_person(*store, other);
    check(from != into, ErrorCode::kInvalidArgument, "'", other, "' and '", arguments.person, "' are the same person already");
    say_undoable(from + " is now part of " + into, store->merge_people(into, from));
  }
}

void split_person(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const auto split = store->split_person(require_person(*store, arguments.person), arguments.faces);
  say_undoable("made " + split.person_id, split.edit_id);
}

void not_person(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::string id = require_person(*store, arguments.person);
  say_undoable("these faces are not " + id, store->not_person(id, arguments.faces));
}

void forget_person(const PeopleArguments& arguments) {
  const auto store = open_store(arguments.common);
  const std::string id = require_person(*store, arguments.person);
  const store::Removed removed = store->forget_person(id, [&](const std::string& text) {
    return document::to_text(document::to_json(document::without_person(document::parse_document(text), id)));
  });
  std::cout << "forgot " << id << ": removed " << removed.face_tracks << " face tracks, " << removed.vectors << " vectors, "
            << removed.pictures << " pictures, " << removed.edits << " edits; rewrote " << removed.documents
            << " documents\n";
  if (!removed.wiped)
    std::cerr << "prismvid: warning: deleted bytes are not wiped from the disk yet: of a file, that happens when the other processes that have it open close it; a PostgreSQL server overwrites them with time\n";
}

void undo_edit(const PeopleArguments& arguments) {
  open_store(arguments.common)->undo(arguments.person);
  std::cout << "undone\n";
}

CLI::App* add(CLI::App& people, const Arguments& arguments, const char* name, const char* help,
              void (*run)(const PeopleArguments&)) {
  CLI::App* command = people.add_subcommand(name, help);
  add_common_options(*command, arguments->common);
  command->callback([arguments, run] { run(*arguments); });
  return command;
}

void add_person(CLI::App& command, const Arguments& arguments) {
  command.add_option("person", arguments->person, "Id or exact name")->required();
}

void add_faces(CLI::App& command, const Arguments& arguments) {
  command.add_option("faces", arguments->faces, "Face numbers, from 'prismvid people show'")->required();
}

}  // namespace

void add_people_command(CLI::App& app) {
  auto arguments = std::make_shared<PeopleArguments>();
  CLI::App* people = app.add_subcommand("people", "See, name and correct who was recognised");
  people->require_subcommand(1);
  add_help_text(*people, kHelp);
  add_format_option(*add(*people, arguments, "list", "Everybody found so far", list_people), arguments->common);

  CLI::App* show = add(*people, arguments, "show", "Where a person is seen", show_person);
  add_person(*show, arguments);
  show->add_option("--picture", arguments->output, "Write the best picture (JPEG) to this file")->type_name("FILE");
  add_format_option(*show, arguments->common);

  CLI::App* name = add(*people, arguments, "name", "Give a person a name", name_person);
  add_person(*name, arguments);
  name->add_option("name", arguments->name, "The new name")->required();

  CLI::App* merge = add(*people, arguments, "merge", "Say that people are one and the same", merge_people);
  merge->add_option("into", arguments->person, "Id or exact name of the one who stays")->required();
  merge->add_option("from", arguments->others, "Ids or names of those who become part of it")->required();

  CLI::App* split = add(*people, arguments, "split", "Make a new person of some faces", split_person);
  add_person(*split, arguments);
  add_faces(*split, arguments);

  CLI::App* wrong = add(*people, arguments, "not", "Say that faces are not this person, now and later", not_person);
  add_person(*wrong, arguments);
  add_faces(*wrong, arguments);

  add_person(*add(*people, arguments, "forget", "Delete a person with all faces, vectors and pictures, for good", forget_person),
             arguments);
  CLI::App* undo = add(*people, arguments, "undo", "Take an edit back", undo_edit);
  undo->add_option("edit", arguments->person, "Its id, printed when it was made")->required();
}

}  // namespace prismvid::cli

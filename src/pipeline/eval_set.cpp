#include "pipeline/eval_set.h"

#include <cctype>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "core/error.h"

namespace prismvid::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The file of a video that a set names, with whatever ending it has.
fs::path find_video(const fs::path& folder, const std::string& name) {
  std::error_code error;
  if (fs::path(name).is_absolute() || fs::exists(folder / name, error)) return folder / name;
  for (const char* ending : {".mp4", ".mkv", ".webm", ".avi", ".mov"})
    if (fs::exists(folder / (name + ending), error)) return folder / (name + ending);
  return folder / name;  // opening it will say that it is not there
}

std::string letter(size_t index) {
  return std::string(1, static_cast<char>('A' + index));
}

/// "A. Apples" or "(A) Apples" as "Apples".
std::string without_letter(const std::string& choice) {
  static const std::regex kLettered(R"(^\s*\(?[A-Z][.):]\s*(.*)$)");
  std::smatch match;
  return std::regex_match(choice, match, kLettered) ? match[1].str() : choice;
}

int64_t microseconds_of(const json& seconds) {
  return std::llround(seconds.get<double>() * 1e6);
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::optional<TimeRange> range_of(const json& line) {
  if (!line.contains("start") || !line.contains("end") || line["start"].is_null() ||
      line["end"].is_null())
    return std::nullopt;
  return TimeRange{microseconds_of(line["start"]), microseconds_of(line["end"])};
}

/// The letter of `answer`, which may be the letter or the words of a choice.
std::string answer_letter(const std::string& answer, const std::vector<std::string>& choices) {
  for (size_t i = 0; i < choices.size(); ++i)
    if (answer == choices[i]) return letter(i);
  const std::string named = chosen_letter(answer, choices.size());
  check(!named.empty(), ErrorCode::kInvalidArgument, "the answer '", answer,
        "' is none of the choices");
  return named;
}

EvalItem item_of(const json& line, const char* video_key, const char* choices_key,
                 const fs::path& folder) {
  EvalItem item;
  item.video = find_video(folder, text_of(line.at(video_key)));
  item.question = line.at("question").get<std::string>();
  for (const char* key : {"id", "question_id", "uid"})
    if (line.contains(key)) item.id = text_of(line[key]);
  for (const char* key : {"kind", "task_type", "topic"})
    if (line.contains(key) && line[key].is_string()) item.kind = line[key].get<std::string>();
  if (line.contains(choices_key))
    for (const json& choice : line[choices_key])
      item.choices.push_back(without_letter(choice.get<std::string>()));
  const std::string answer = text_of(line.at("answer"));
  item.answer = item.choices.empty() ? answer : answer_letter(answer, item.choices);
  item.range = range_of(line);
  if (line.contains("shown")) item.shown = line["shown"].get<bool>();
  if (line.contains("evidence"))
    for (const json& range : line["evidence"])
      item.evidence.push_back(
          {microseconds_of(range.at("start")), microseconds_of(range.at("end"))});
  return item;
}

/// LVBench writes the choices into the question: "...\n(A) one\n(B) two".
void split_choices(EvalItem& item, const std::string& answer) {
  std::istringstream lines(item.question);
  std::string question;
  static const std::regex kChoice(R"(^\s*\([A-Z]\)\s*(.*)$)");
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, kChoice))
      item.choices.push_back(match[1].str());
    else
      question += (question.empty() ? "" : "\n") + line;
  }
  item.question = question;
  item.answer = item.choices.empty() ? answer : answer_letter(answer, item.choices);
}

void add_lvbench(const json& line, const fs::path& folder, std::vector<EvalItem>& items) {
  for (const json& qa : line.at("qa")) {
    EvalItem item;
    item.video = find_video(folder, line.at("key").get<std::string>());
    item.id = text_of(qa.value("uid", json("")));
    item.question = qa.at("question").get<std::string>();
    if (qa.contains("question_type") && !qa["question_type"].empty())
      item.kind = qa["question_type"].is_array() ? qa["question_type"][0].get<std::string>()
                                                 : text_of(qa["question_type"]);
    split_choices(item, qa.at("answer").get<std::string>());
    items.push_back(std::move(item));
  }
}

void add_line(const json& line, const fs::path& folder, std::vector<EvalItem>& items) {
  if (line.contains("qa"))
    add_lvbench(line, folder, items);
  else if (line.contains("videoID"))
    items.push_back(item_of(line, "videoID", "options", folder));
  else if (line.contains("candidates"))
    items.push_back(item_of(line, "video", "candidates", folder));
  else
    items.push_back(item_of(line, "video", "choices", folder));
}

/// The objects of a list, or of one a line.
std::vector<json> objects_of(const fs::path& set, const std::string& text) {
  const json whole = json::parse(text, nullptr, false);
  if (whole.is_array()) return whole.get<std::vector<json>>();
  std::vector<json> lines;
  std::istringstream stream(text);
  size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    lines.push_back(json::parse(line, nullptr, false));
    check(lines.back().is_object(), ErrorCode::kInvalidArgument, set.string(), " line ", number,
          " is not a JSON object");
  }
  return lines;
}

}  // namespace

std::vector<EvalItem> read_eval_set(const fs::path& set, const fs::path& folder) {
  std::ifstream in(set, std::ios::binary);
  check(in.good(), ErrorCode::kNotFound, "cannot read the set ", set.string());
  std::ostringstream text;
  text << in.rdbuf();
  const fs::path videos = folder.empty() ? set.parent_path() : folder;
  std::vector<EvalItem> items;
  size_t number = 0;
  for (const json& line : objects_of(set, text.str())) {
    ++number;
    try {
      add_line(line, videos, items);
    } catch (const json::exception& error) {
      fail(ErrorCode::kInvalidArgument, set.string(), ", question ", number, ": ", error.what());
    }
  }
  check(!items.empty(), ErrorCode::kInvalidArgument, set.string(), " holds no questions");
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].id.empty()) items[i].id = std::to_string(i + 1);
  return items;
}

std::string chosen_letter(const std::string& reply, size_t count) {
  // A letter that stands alone; a leading one counts before any later.
  static const std::regex kAlone(R"((?:^|[^A-Za-z])([A-Z])(?:$|[^A-Za-z']))");
  for (std::sregex_iterator it(reply.begin(), reply.end(), kAlone), end; it != end; ++it) {
    const std::string found = (*it)[1].str();
    if (static_cast<size_t>(found[0] - 'A') < count) return found;
  }
  return {};
}

std::string normalized_answer(const std::string& answer) {
  std::string out;
  for (const char c : answer) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80)
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace prismvid::pipeline

#include "deep/answer_words.h"

#include <nlohmann/json.hpp>

#include "deep/facts.h"

namespace prismvid::deep {
namespace {

/// What follows `"key":`, behind blanks; empty while it is not there. `text` has no strings before
/// it that hold the key: the schema puts numbers and truth values there only.
std::string_view value_of(std::string_view text, std::string_view key) {
  const size_t name = text.find("\"" + std::string(key) + "\"");
  if (name == std::string_view::npos) return {};
  const size_t value = text.find_first_not_of(" \t\r\n:", name + key.size() + 2);
  return value == std::string_view::npos ? std::string_view() : text.substr(value);
}

/// The text of a string that may not have ended: up to its end or the last whole escape.
std::string text_so_far(std::string_view quoted) {
  size_t end = 1;
  while (end < quoted.size() && quoted[end] != '"') {
    const size_t length = quoted[end] != '\\'                              ? 1
                          : quoted.substr(end + 1).starts_with('u') ? 6
                                                                    : 2;
    if (end + length > quoted.size()) break;
    end += length;
  }
  // Half a pair of surrogates is no text yet: then nothing new is told.
  const auto text = nlohmann::json::parse(std::string(quoted.substr(0, end)) + '"', nullptr, false);
  return text.is_string() ? text.get<std::string>() : "";
}

}  // namespace

std::string AnswerWords::push(std::string_view piece) {
  reply_ += piece;
  if (!value_of(reply_, "shown").starts_with("true")) return "";
  const std::string_view answer = value_of(reply_, "answer");
  if (!answer.starts_with('"')) return "";
  const std::string words = one_line(text_so_far(answer));
  if (words.size() <= told_.size()) return "";
  std::string added = words.substr(told_.size());
  told_ = words;
  return added;
}

}  // namespace prismvid::deep

#include "document/apply_edits.h"

#include <algorithm>

namespace prismvid::document {
namespace {

auto find_text(auto& document, const std::string& id) {
  return std::find_if(document.texts.begin(), document.texts.end(),
                      [&](const TextElement& text) { return text.id == id; });
}

/// Of captions or chapters.
auto find_item(auto& list, const std::string& id) {
  return std::find_if(list.begin(), list.end(),
                      [&](const Json& item) { return item.value("id", "") == id; });
}

void set_item(Json& list, const Edit& edit, const char* key) {
  const auto item = find_item(list, edit.target);
  if (item == list.end()) return;
  (*item)[key] = edit.value;
  (*item)["by"] = {{"stage", (*item)["by"].value("stage", "caption")}, {"engine", "human"}};
}

}  // namespace

bool is_text_edit(const std::string& op) {
  return op == "set_text" || op == "set_caption" || op == "set_chapter";
}

bool has_target(const Document& document, const Edit& edit) {
  if (edit.op == "set_text") return find_text(document, edit.target) != document.texts.end();
  if (edit.op == "set_caption")
    return find_item(document.captions, edit.target) != document.captions.end();
  return edit.op == "set_chapter" &&
         find_item(document.chapters, edit.target) != document.chapters.end();
}

void apply_edits(Document& document) {
  for (const Edit& edit : document.edits) {
    if (!is_text_edit(edit.op) || !edit.value.is_string()) continue;
    if (edit.op == "set_text" && has_target(document, edit))
      find_text(document, edit.target)->text = edit.value.get<std::string>();
    if (edit.op == "set_caption") set_item(document.captions, edit, "text");
    if (edit.op == "set_chapter") set_item(document.chapters, edit, "title");
  }
}

}  // namespace prismvid::document

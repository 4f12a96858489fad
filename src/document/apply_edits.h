#pragma once

#include "document/document.h"

namespace prismvid::document {

/// Whether people may edit such things: set_text, set_caption, set_chapter.
bool is_text_edit(const std::string& op);

/// Whether the thing that an edit names is in the document. An edit whose target is gone stays in
/// the list and changes nothing.
bool has_target(const Document& document, const Edit& edit);

/// Puts what people wrote in the place of what was found, in the order of the edits. Edits of people
/// (name_person, ...) are in the library already.
void apply_edits(Document& document);

}  // namespace prismvid::document

#pragma once

#include <string>

#include "document/document.h"

namespace prismvid::cli {

/// What `analyze` prints of a finished video: a few lines for a person.
std::string summarize(const document::Document& document);

/// Says on standard error which stages failed or are not available, and what mends it. Gives the exit code: that of the
/// first failed stage, else 0.
int report_stages(const document::Document& document, bool as_json);

}  // namespace prismvid::cli

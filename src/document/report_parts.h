#pragma once

#include <string>

#include "document/document.h"
#include "document/words.h"

// The parts of the HTML report. Inside document only.
namespace prismvid::document {

/// The style sheet: light and dark, phone to print.
const char* report_style();

/// Lanes over one time axis.
std::string report_timeline(const Document& document);

/// Summary, chapters, story, highlights and captions, where there are any.
std::string report_deep(const Document& document);

/// "1:02" for captions, hours where there are any.
std::string short_clock(int64_t t_us);

/// A section with its heading, or nothing when it has no content.
std::string section(const std::string& id, const std::string& title, const std::string& note,
                    const std::string& content);

/// Why a stage has nothing to show; empty when it did its work.
std::string reason_of(const Document& document, const std::string& stage);

}  // namespace prismvid::document

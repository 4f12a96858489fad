#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "document/document.h"

namespace prismvid::document {

enum class Format { kJson, kHtml, kVtt, kSrt, kChapters, kFfmetadata, kCsv, kEdl, kOtio, kCaptions };

/// "json", "html", ...; throws Error(kInvalidArgument) naming the formats there are.
Format parse_format(const std::string& name);

/// Every name parse_format() takes, in one line.
std::string format_names();

struct ExportContext {
  /// JPEG of a picture the document names (locate_picture()); nullopt where it is gone. Used by
  /// HTML only.
  std::function<std::optional<std::vector<uint8_t>>(const std::string& href)> picture;
  /// Where the video lies, for OTIO's media reference; empty: the document's source.
  std::string media_uri;
  int json_indent = 2;
};

/// The whole file as text. Throws Error(kInvalidArgument) where the document lacks what the format
/// needs (EDL without a frame rate).
std::string export_document(const Document& document, Format format,
                            const ExportContext& context = {});

}  // namespace prismvid::document

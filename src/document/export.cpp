#include "document/export.h"

#include <array>

#include "core/error.h"
#include "document/export_parts.h"
#include "document/json.h"

namespace prismvid::document {

namespace {

constexpr std::array<const char*, 10> kNames = {"json",       "html", "vtt", "srt", "chapters",
                                               "ffmetadata", "csv",  "edl", "otio", "captions"};

}  // namespace

std::string format_names() {
  std::string names;
  for (const char* name : kNames) names += (names.empty() ? "" : ", ") + std::string(name);
  return names;
}

Format parse_format(const std::string& name) {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<Format>(i);
  fail(ErrorCode::kInvalidArgument, "there is no format '", name, "'; there are ", format_names());
}

std::string export_document(const Document& document, Format format, const ExportContext& context) {
  switch (format) {
    case Format::kJson:
      return to_text(to_json(document), context.json_indent) + "\n";
    case Format::kHtml:
      return to_html(document, context);
    case Format::kVtt:
      return to_vtt(document);
    case Format::kSrt:
      return to_srt(document);
    case Format::kChapters:
      return to_chapters(document);
    case Format::kFfmetadata:
      return to_ffmetadata(document);
    case Format::kCsv:
      return to_csv(document);
    case Format::kEdl:
      return to_edl(document);
    case Format::kOtio:
      return to_otio(document, context);
    case Format::kCaptions:
      return to_captions(document);
  }
  fail(ErrorCode::kInternal, "unknown export format");
}

}  // namespace prismvid::document

#pragma once

#include <string>

#include "document/export.h"

// One writer for each format. Inside document only.
namespace prismvid::document {

std::string to_vtt(const Document& document);
/// The deep stage's captions as WebVTT. Throws Error(kInvalidArgument) where there are none.
std::string to_captions(const Document& document);
std::string to_srt(const Document& document);
std::string to_chapters(const Document& document);
std::string to_ffmetadata(const Document& document);
std::string to_csv(const Document& document);
std::string to_edl(const Document& document);
std::string to_otio(const Document& document, const ExportContext& context);
std::string to_html(const Document& document, const ExportContext& context);

/// SMPTE timecode of a frame count at a rate; drop-frame (with ';') at 30000/1001 and 60000/1001.
std::string timecode(int64_t frame, const Rational& rate);

/// A chapter of the document, or where it has none a scene.
struct ChapterMark {
  TimeRange range;
  std::string title;
};
std::vector<ChapterMark> chapter_marks(const Document& document);

}  // namespace prismvid::document

#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/results.h"

namespace prismvid::media {

/// Parses SubRip or WebVTT (told apart by the "WEBVTT" line). Never throws on bad bytes: cues that
/// make no sense are left out. Accepts UTF-8, UTF-16 with a byte order mark, else Windows-1252; any
/// line ends; tags and ASS overrides are stripped. Segments come sorted by start; they may overlap.
/// Times are those of the file.
std::vector<TranscriptSegment> parse_subtitles(std::string_view bytes);

/// The subtitles of a video as a transcript, times from its first presented frame: a sidecar next
/// to it (name.srt, name.vtt, name.en.srt, ...), else its best embedded text track (SubRip, ASS,
/// mov_text, WebVTT). nullopt when there is neither. Packets are read only when there is an
/// embedded text track. Throws Error as open_video() when the video cannot be opened.
std::optional<Transcript> read_transcript(const std::filesystem::path& video);

/// What the sidecars next to a video are, without reading them: changes when one is added, taken away or written to.
std::string sidecar_fingerprint(const std::filesystem::path& video);

}  // namespace prismvid::media

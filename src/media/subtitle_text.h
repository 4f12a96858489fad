#pragma once

#include <string>
#include <string_view>

namespace prismvid::media {

/// Any text file's bytes as valid UTF-8 with "\n" line ends: UTF-8, UTF-16 with a byte order mark,
/// else Windows-1252.
std::string to_utf8(std::string_view bytes);

/// Removes <tags>, {\overrides}, decodes the entities of WebVTT, turns \N and \h of ASS into a line
/// end and a space, trims.
std::string plain_cue_text(std::string_view text);

}  // namespace prismvid::media

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers and text as a reader wants them. Inside document only.
namespace prismvid::document {

/// "1 h 2 min 3 s", "1 min 3 s", "4.5 s".
std::string spoken_duration(int64_t duration_us);

/// "1 shot", "2 shots".
std::string counted(size_t count, const std::string& noun);

/// "48.2 MB"; powers of ten.
std::string spoken_bytes(int64_t bytes);

/// At most `characters` code points, with an ellipsis where it was cut; line breaks become spaces.
std::string shortened(std::string_view text, size_t characters);

/// &, <, >, " and ' as entities; control characters, which neither HTML nor XML takes, become
/// spaces.
std::string escape_html(std::string_view text);

std::string base64(std::string_view bytes);

/// "01:02:03" and "." or "," and milliseconds.
std::string cue_time(int64_t t_us, char point);

}  // namespace prismvid::document

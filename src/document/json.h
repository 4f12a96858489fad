#pragma once

#include <string>
#include <string_view>

#include "document/document.h"

namespace prismvid::document {

/// Seconds of `t_us` as a JSON number: exact to the microsecond in the text to_text() writes.
Json seconds(int64_t t_us);

/// Microseconds of a JSON number of seconds; throws Error(kInvalidArgument) where it is not one or
/// out of range.
int64_t microseconds(const Json& seconds);

/// From "start" to "end" of an item. Throws as microseconds(), and nlohmann's out_of_range where
/// one is missing.
TimeRange time_range(const Json& item);

/// `value` rounded to `decimals`, so that a float does not show its binary noise.
double rounded(double value, int decimals);

/// JSON text with every number in its shortest decimal form without exponent; broken UTF-8 becomes
/// U+FFFD. `indent` < 0 writes one line.
std::string to_text(const Json& json, int indent = -1);

Json to_json(const Document& document);

/// Throws Error(kInvalidArgument) naming the key that is missing or of the wrong type. Unknown keys
/// are ignored.
Document from_json(const Json& json);

/// A summary as to_json() writes it. Throws Error(kInvalidArgument).
Summary read_summary(const Json& json);

/// from_json() of text; throws Error(kInvalidArgument) also on text that is not JSON.
Document parse_document(std::string_view text);

const char* to_string(StageStatus status);
const char* to_string(TransitionKind kind);
const char* to_string(MarkerKind kind);
const char* to_string(TextRole role);
const char* to_string(TranscriptOrigin origin);

}  // namespace prismvid::document

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/http.h"

namespace prismvid::server {

/// Offset and count within a body.
struct ByteRange {
  int64_t offset = 0;
  int64_t bytes = 0;
};

/// One range of a Range header (RFC 9110, 14.1.2) over a body of `total` bytes; nullopt where the
/// whole body is to be sent: no header, several ranges, another unit, bad syntax. Throws HttpError 416
/// for a range that begins behind the end.
std::optional<ByteRange> parse_byte_range(const std::string& header, int64_t total);

/// A file as the answer to a request, by its Range and If-Range headers. Owns `descriptor`.
Response send_file(const Request& request, int descriptor, int64_t bytes, const std::string& etag,
                   const std::string& content_type);

/// A 304 without body where If-None-Match names `etag`.
std::optional<Response> not_modified(const Request& request, const std::string& etag);

}  // namespace prismvid::server

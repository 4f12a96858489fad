#include "server/byte_range.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>

namespace prismvid::server {
namespace {

/// -1 for an empty or bad number.
int64_t read_number(std::string_view text) {
  int64_t number = -1;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec == std::errc::result_out_of_range) return INT64_MAX;
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return -1;
  return number;
}

}  // namespace

std::optional<ByteRange> parse_byte_range(const std::string& header, int64_t total) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit) || header.find(',') != std::string::npos) return std::nullopt;
  const std::string_view range = std::string_view(header).substr(kUnit.size());
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const bool has_first = dash > 0, has_last = dash + 1 < range.size();
  int64_t first = read_number(range.substr(0, dash)), last = read_number(range.substr(dash + 1));
  if ((has_first && first < 0) || (has_last && last < 0) || (!has_first && !has_last))
    return std::nullopt;
  if (has_first && has_last && last < first) return std::nullopt;
  if (!has_first) {  // the last so many bytes
    first = std::max<int64_t>(0, total - last);
    if (last == 0) first = total;
    last = total - 1;
  } else if (!has_last) {
    last = total - 1;
  }
  if (first >= total)
    throw HttpError(416, "range_not_satisfiable",
                    "the range begins behind the end: there are " + std::to_string(total) + " bytes",
                    {{"Content-Range", "bytes */" + std::to_string(total)}});
  last = std::min(last, total - 1);
  return ByteRange{first, last - first + 1};
}

Response send_file(const Request& request, int descriptor, int64_t bytes, const std::string& etag,
                   const std::string& content_type) {
  std::optional<ByteRange> range;
  try {
    const std::string condition = request.header("if-range");
    if (condition.empty() || condition == etag)
      range = parse_byte_range(request.header("range"), bytes);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  Response response;
  response.content_type = content_type;
  response.headers = {{"Accept-Ranges", "bytes"}, {"ETag", etag}};
  if (range) {
    response.status = 206;
    response.headers.emplace_back(
        "Content-Range", "bytes " + std::to_string(range->offset) + "-" +
                             std::to_string(range->offset + range->bytes - 1) + "/" +
                             std::to_string(bytes));
    response.body = FilePart{descriptor, range->offset, range->bytes};
  } else {
    response.body = FilePart{descriptor, 0, bytes};
  }
  return response;
}

std::optional<Response> not_modified(const Request& request, const std::string& etag) {
  const std::string known = request.header("if-none-match");
  if (known.empty() || (known != "*" && known.find(etag) == std::string::npos)) return std::nullopt;
  Response response;
  response.status = 304;
  response.content_type = "";
  response.headers = {{"ETag", etag}};
  return response;
}

}  // namespace prismvid::server

#include <string>

#include "core/sha256.h"
#include "server/byte_range.h"
#include "server/embedded_page.h"
#include "server/service.h"

// The page: files that the build embeds.
namespace prismvid::server {
namespace {

std::string type_of(const std::string& path) {
  const std::string ending = path.substr(path.rfind('.') + 1);
  if (ending == "html") return "text/html; charset=utf-8";
  if (ending == "js" || ending == "mjs") return "text/javascript; charset=utf-8";
  if (ending == "css") return "text/css; charset=utf-8";
  if (ending == "svg") return "image/svg+xml";
  if (ending == "png") return "image/png";
  if (ending == "ico") return "image/x-icon";
  if (ending == "json" || ending == "webmanifest") return "application/json";
  return "application/octet-stream";
}

}  // namespace

void add_page_routes(Router& router) {
  for (const EmbeddedFile* file = kEmbeddedPage; file->path; ++file) {
    const std::string path = file->path;
    const std::string text(reinterpret_cast<const char*>(file->bytes), file->count);
    const std::string etag = "\"" + sha256_hex(text).substr(0, 16) + "\"";
    const auto run = [=](Request& request) {
      if (auto known = not_modified(request, etag)) return *known;
      return Response{200, type_of(path), {{"ETag", etag}}, text};
    };
    router.add({"GET", path, Scope::kNone, "The page", run});
    if (path == "/index.html") router.add({"GET", "/", Scope::kNone, "The page", run});
  }
}

}  // namespace prismvid::server

#include "server/service.h"

#include <spdlog/spdlog.h>

#include <new>

#include "document/json.h"
#include "store/sqlite_store.h"

namespace prismvid::server {
namespace {

/// Nothing from elsewhere runs in the page, and no other page may frame or read it.
const Fields kSecurityHeaders = {
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"}};

std::string without_port(const std::string& host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_own_name(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

bool has_header(const Response& response, const std::string& name) {
  for (const auto& [known, value] : response.headers)
    if (known == name) return true;
  return false;
}

}  // namespace

Context::Context(const ServiceOptions& given)
    : options(given),
      stores([file = given.database] { return store::open_sqlite_store(file); }),
      jobs([file = given.database] { return store::open_sqlite_job_store(file); }),
      documents(stores, given.database),
      events(given.database),
      media(given.media_roots),
      models(vision::ModelRegistry::standard(given.models)) {}

Service::Service(Context& context) : context_(context) {
  add_page_routes(router_);
  add_health_routes(router_, context_);
  add_job_routes(router_, context_);
  add_library_routes(router_, context_);
  add_video_routes(router_, context_);
}

/// A page from elsewhere in the user's browser can send requests here: by a name that it points at
/// this machine (then Host is that name), or across origins (then Origin is).
void Service::check_origin(const Request& request) const {
  const std::string host = request.header("host");
  if (context_.options.is_loopback && !is_own_name(without_port(host)))
    throw HttpError(403, "wrong_host",
                    "this service answers as localhost only, not as '" + host + "'");
  const std::string origin = request.header("origin");
  if (origin.empty() || request.method == "GET") return;
  if (origin != "http://" + host && origin != "https://" + host)
    throw HttpError(403, "wrong_origin", "pages of '" + origin + "' may not change anything here");
}

BodyPlan Service::begin(Request& request) {
  check_origin(request);
  const Route& route = router_.find(request);
  BodyPlan plan;
  plan.max_bytes = route.max_body_bytes;
  if (route.make_sink) plan.sink = route.make_sink(request);
  return plan;
}

Response Service::answer(Request& request) {
  try {
    return router_.find(request).run(request);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) spdlog::error("{} {}: {}", request.method, request.path, error.what());
    return error_response(error);
  } catch (const std::bad_alloc&) {
    return error_response(Error(ErrorCode::kUnavailable, "out of memory: ask for less, or later"));
  } catch (const std::exception& error) {
    spdlog::error("{} {}: {}", request.method, request.path, error.what());
    return error_response(Error(ErrorCode::kInternal, "a bug of PrismVid: its log says more under " + request.id));
  }
}

void Service::finish(const Request& request, Response& response) {
  for (const auto& header : kSecurityHeaders) response.headers.push_back(header);
  if (!has_header(response, "Cache-Control")) response.headers.emplace_back("Cache-Control", "no-cache");
  response.headers.emplace_back("X-Request-Id", request.id);
  spdlog::debug("{} {} {} {}", request.client, request.method, request.path, response.status);
}

Response json_response(const document::Json& json, int status) {
  Response response;
  response.status = status;
  response.body = document::to_text(json);
  return response;
}

}  // namespace prismvid::server

#include "server/service.h"

#include <spdlog/spdlog.h>

#include <cmath>
#include <new>

#include "document/json.h"
#ifdef PRISMVID_MLX
#include "server/openai_routes.h"
#endif
#include "store/open_store.h"

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
      stores([where = given.database] { return store::open_store(where); }),
      jobs([where = given.database] { return store::open_job_store(where); }),
      documents(stores, given.database),
      events(given.database),
      services([where = given.database] { return store::open_service_store(where); }),
      uploads(services, given.uploads, given.most_upload_bytes),
      keys(services, given.needs_key || !given.is_loopback),
      media(given.media_roots),
      models(vision::ModelRegistry::standard(given.models)),
      library_search(models),
      deep_models(given.kv_bits, given.kept) {
  media.add(uploads.folder());
}

Service::Service(Context& context) : context_(context), rate_limit_(context.options.requests_per_second) {
  add_page_routes(router_);
  add_health_routes(router_, context_);
  add_job_routes(router_, context_);
  add_library_routes(router_, context_);
  add_video_routes(router_, context_);
  add_clip_routes(router_, context_);
  add_trickplay_routes(router_, context_);
  add_upload_routes(router_, context_);
  add_face_routes(router_, context_);
  add_people_routes(router_, context_);
  add_plan_routes(router_, context_);
  add_ask_routes(router_, context_);
#ifdef PRISMVID_MLX
  add_openai_routes(router_, context_);
#endif
  add_meta_routes(router_, context_);
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

/// By key where there is one: several clients may come from one address.
void Service::check_rate(const Request& request) {
  const double wait = rate_limit_.take(request.key_id.empty() ? request.client : request.key_id);
  if (wait > 0)
    throw HttpError(429, "too_many_requests", "too many requests: wait a moment", {{"Retry-After", std::to_string(static_cast<int>(std::ceil(wait)))}});
}

/// A misspelt filter that is ignored would give a wrong answer.
void Service::check_parameters(const Request& request, const Route& route) {
  for (const auto& [name, value] : request.query) {
    std::string known;
    bool found = false;
    for (const QueryParameter& parameter : route.query) {
      known += (known.empty() ? "" : ", ") + parameter.name;
      found = found || parameter.name == name;
    }
    // The page keeps its state in the address.
    if (!found && route.scope != Scope::kNone)
      throw HttpError(400, "unknown_parameter", "there is no parameter '" + name + "' here" + (known.empty() ? "" : ": choose from " + known));
  }
}

BodyPlan Service::begin(Request& request) {
  check_origin(request);
  const Route& route = router_.find(request);
  context_.keys.check(request, route);
  check_rate(request);
  check_parameters(request, route);
  if (route.plan_body) return route.plan_body(request);
  return {route.max_body_bytes};
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
  if (request.key_is_new)
    response.headers.emplace_back("Set-Cookie", "prismvid_key=" + request.header("authorization").substr(7) + "; HttpOnly; SameSite=Strict; Path=/");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - request.began).count();
  context_.metrics.count(request.method, response.status, seconds);
  spdlog::info("{} {} {} {} {} {:.1f} ms", request.id, request.client, request.method, request.path, response.status, seconds * 1000);
}

Response json_response(const document::Json& json, int status) {
  Response response;
  response.status = status;
  response.body = document::to_text(json);
  return response;
}

Response event_stream(Stream stream) {
  return {200, "text/event-stream", {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}}, std::move(stream)};
}

}  // namespace prismvid::server

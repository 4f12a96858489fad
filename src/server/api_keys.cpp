#include "server/api_keys.h"

#include "core/sha256.h"

namespace prismvid::server {
namespace {

constexpr char kCookie[] = "prismvid_key=";
constexpr auto kNoteEvery = std::chrono::minutes(1);

/// Pictures and films of the page cannot carry a header, so the browser gets a cookie.
std::string key_in_cookie(const std::string& cookies) {
  const size_t start = cookies.find(kCookie);
  if (start == std::string::npos) return "";
  const size_t first = start + sizeof kCookie - 1;
  return cookies.substr(first, cookies.find(';', first) - first);
}

std::string given_key(const Request& request) {
  const std::string authorization = request.header("authorization");
  if (authorization.starts_with("Bearer ")) return authorization.substr(7);
  return authorization.empty() ? key_in_cookie(request.header("cookie")) : authorization;
}

Scope scope_of(const std::string& name) {
  return name == "admin" ? Scope::kAdmin : name == "write" ? Scope::kWrite : Scope::kRead;
}

HttpError unauthorized(const std::string& message) {
  return HttpError(401, "unauthorized", message, {{"WWW-Authenticate", "Bearer"}});
}

}  // namespace

void ApiKeys::check(Request& request, const Route& route) {
  if (route.scope == Scope::kNone) return;
  const std::string key = given_key(request);
  if (key.empty() && !required_) return;
  if (key.empty()) throw unauthorized("an API key is needed: Authorization: Bearer pv_... ('prismvid keys create' makes one)");
  const auto known = stores_.borrow()->find_key(sha256_hex(key));
  // Clients of OpenAI's interface cannot do without a key; where none is needed, any will do.
  if (!known && !required_) return;
  if (!known) throw unauthorized("this API key is not known, or was revoked");
  if (scope_of(known->scope) < route.scope)
    throw HttpError(403, "insufficient_scope", std::string("this needs a key with the scope '") + to_string(route.scope) +
                                                   "', yours has '" + known->scope + "'");
  request.key_id = known->id;
  request.key_is_new = request.header("sec-fetch-site") == "same-origin" && !request.header("authorization").empty() &&
                       key_in_cookie(request.header("cookie")) != key;
  note_use(known->id);
}

void ApiKeys::note_use(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    const auto known = noted_.find(id);
    if (known != noted_.end() && now - known->second < kNoteEvery) return;
    noted_[id] = now;
  }
  stores_.borrow()->mark_key_used(id);
}

std::string make_api_key() { return "pv_" + random_hex() + random_hex(); }

}  // namespace prismvid::server

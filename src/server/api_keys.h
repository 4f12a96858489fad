#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "server/http.h"
#include "server/router.h"
#include "server/uploads.h"

namespace prismvid::server {

/// Who may ask. Thread-safe.
class ApiKeys {
 public:
  /// `required`: also requests from this machine need one.
  ApiKeys(ServicePool& stores, bool required) : stores_(stores), required_(required) {}

  /// Sets the request's key. Throws HttpError 401 without a key that is needed or with one that is
  /// not in force, 403 for one that does not allow the route.
  void check(Request& request, const Route& route);

 private:
  void note_use(const std::string& id);

  ServicePool& stores_;
  bool required_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point> noted_;
};

/// A new key, to be shown once: only its hash is stored.
std::string make_api_key();

}  // namespace prismvid::server

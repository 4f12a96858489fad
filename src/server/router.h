#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/http.h"

namespace prismvid::server {

/// What an API key must allow for a route.
enum class Scope { kNone, kRead, kWrite, kAdmin };
const char* to_string(Scope scope);

/// A query parameter, for checks and the API's description.
struct QueryParameter {
  std::string name;
  std::string type = "string";  // string, number, integer
};

/// Gets the request when its headers are there and says how its body is taken.
using BodyPlanner = std::function<BodyPlan(Request&)>;

struct Route {
  std::string method;
  std::string pattern;  // "/v1/videos/{id}/keyframes/{keyframe}.jpg"
  Scope scope = Scope::kRead;
  std::string summary;  // for the API's description
  std::function<Response(Request&)> run;
  int64_t max_body_bytes = 0;
  std::vector<QueryParameter> query = {};  // others are refused
  std::string body = {};                   // name of its schema in the API's description; "Bytes" for a file
  BodyPlanner plan_body = {};              // empty: the body goes into Request::body
};

/// The table of everything the service answers.
class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }
  /// The route of a request, whose path_values are set. Throws HttpError: 404 for no such path, 405
  /// (with Allow) for another method.
  const Route& find(Request& request) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace prismvid::server

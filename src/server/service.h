#pragma once

#include <chrono>
#include <filesystem>
#include <vector>

#include "server/document_cache.h"
#include "server/http_server.h"
#include "server/event_hub.h"
#include "server/media_roots.h"
#include "server/pool.h"
#include "server/router.h"
#include "server/shared_models.h"
#include "vision/models/manifest.h"

namespace prismvid::server {

struct ServiceOptions {
  std::filesystem::path database;
  std::filesystem::path models;  // empty = the standard folders
  std::vector<std::filesystem::path> media_roots;
  int64_t most_queued_jobs = 10'000;
  bool is_loopback = true;  // then only this machine's own names are answered, without a key
};

/// What the routes share.
struct Context {
  explicit Context(const ServiceOptions& options);

  ServiceOptions options;
  StorePool stores;
  JobPool jobs;
  DocumentCache documents;
  EventHub events;
  MediaRoots media;
  vision::ModelRegistry models;
  SharedModels deep_models;
};

/// The whole service: who may ask what, and every route. Thread-safe.
class Service : public Handler {
 public:
  explicit Service(Context& context);

  BodyPlan begin(Request& request) override;
  Response answer(Request& request) override;
  void finish(const Request& request, Response& response) override;
  const Router& router() const { return router_; }

 private:
  void check_origin(const Request& request) const;

  Context& context_;
  Router router_;
};

Response json_response(const document::Json& json, int status = 200);

void add_page_routes(Router& router);
void add_health_routes(Router& router, Context& context);
void add_job_routes(Router& router, Context& context);
void add_library_routes(Router& router, Context& context);
void add_video_routes(Router& router, Context& context);

}  // namespace prismvid::server

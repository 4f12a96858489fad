#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

#include "pipeline/library_search.h"
#include "server/api_keys.h"
#include "server/document_cache.h"
#include "server/http_server.h"
#include "server/event_hub.h"
#include "server/media_roots.h"
#include "server/metrics.h"
#include "server/pool.h"
#include "server/rate_limit.h"
#include "server/router.h"
#include "server/search.h"
#include "server/shared_models.h"
#include "server/uploads.h"
#include "vision/models/manifest.h"

namespace prismvid::server {

struct ServiceOptions {
  store::Address database;
  std::filesystem::path uploads;  // folder of uploads and fetched files
  std::filesystem::path models;  // empty = the standard folders
  std::vector<std::filesystem::path> media_roots;
  int64_t most_queued_jobs = 10'000;
  int64_t kept_jobs = 10'000;  // ended ones; older are forgotten
  int64_t kept_job_days = 90;
  int64_t most_upload_bytes = int64_t{64} << 30;
  bool allow_private_urls = false;
  double requests_per_second = 0;  // of one client; 0: no limit
  bool needs_key = false;   // also from this machine
  bool is_loopback = true;  // then only this machine's own names are answered, without a key
  int kv_bits = 16;         // of deep models' keys and values, as deep::InstalledModels
  std::shared_ptr<FileCache> kept;  // likewise
};

/// What the routes share.
struct Context {
  explicit Context(const ServiceOptions& options);

  ServiceOptions options;
  StorePool stores;
  JobPool jobs;
  DocumentCache documents;
  EventHub events;
  ServicePool services;
  Uploads uploads;
  ApiKeys keys;
  Metrics metrics;
  MediaRoots media;
  vision::ModelRegistry models;
  pipeline::LibrarySearch library_search;  // reads `models`
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
  void check_rate(const Request& request);
  static void check_parameters(const Request& request, const Route& route);

  Context& context_;
  Router router_;
  RateLimit rate_limit_;
};

Response json_response(const document::Json& json, int status = 200);
/// Server-sent events, which no proxy may hold back.
Response event_stream(Stream stream);

void add_ask_routes(Router& router, Context& context);
void add_clip_routes(Router& router, Context& context);
void add_face_routes(Router& router, Context& context);
void add_page_routes(Router& router);
void add_plan_routes(Router& router, Context& context);
void add_people_routes(Router& router, Context& context);
/// Also describes every route added before it.
void add_meta_routes(Router& router, Context& context);
void add_trickplay_routes(Router& router, Context& context);
void add_upload_routes(Router& router, Context& context);
void add_health_routes(Router& router, Context& context);
void add_job_routes(Router& router, Context& context);
void add_library_routes(Router& router, Context& context);
void add_video_routes(Router& router, Context& context);

}  // namespace prismvid::server

#include <memory>

#include "document/json.h"
#ifdef PRISMVID_MLX
#include "server/engine_metrics.h"
#endif
#include "server/openapi.h"
#include "server/service.h"

// What the service says of itself: metrics and its description.
namespace prismvid::server {
namespace {

void write_library_metrics(Context& context, PrometheusText& out) {
  out.begin("prismvid_jobs", "gauge", "Jobs by state.");
  auto counts = context.jobs.borrow()->count_by_state();
  for (const char* state : {"queued", "running", "done", "partial", "failed", "cancelled"})
    out.sample(static_cast<double>(counts[state]), {{"state", state}});
  out.gauge("prismvid_videos", "Videos of the library.", static_cast<double>(context.documents.cards().size()));
}

Response get_metrics(Context& context) {
  PrometheusText out;
  context.metrics.write(out);
  write_library_metrics(context, out);
#ifdef PRISMVID_MLX
  write_engine_metrics(context.deep_models, out);
#endif
  return {200, "text/plain; version=0.0.4; charset=utf-8", {}, out.text()};
}

}  // namespace

void add_meta_routes(Router& router, Context& context) {
  router.add({"GET", "/metrics", Scope::kRead, "Metrics for Prometheus", [&](Request&) { return get_metrics(context); }});
  const auto text = std::make_shared<std::string>();
  router.add({"GET", "/openapi.json", Scope::kNone, "This description", [text](Request&) { return Response{200, "application/json", {}, *text}; }});
  *text = document::to_text(openapi(router));
}

}  // namespace prismvid::server

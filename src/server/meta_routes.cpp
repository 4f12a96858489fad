#include <memory>
#include <sstream>

#include "document/json.h"
#include "server/openapi.h"
#include "server/service.h"

// What the service says of itself: metrics and its description.
namespace prismvid::server {
namespace {

std::string job_metrics(Context& context) {
  std::ostringstream out;
  out << "# HELP prismvid_jobs Jobs by state.\n# TYPE prismvid_jobs gauge\n";
  auto counts = context.jobs.borrow()->count_by_state();
  for (const char* state : {"queued", "running", "done", "partial", "failed", "cancelled"})
    out << "prismvid_jobs{state=\"" << state << "\"} " << counts[state] << '\n';
  out << "# HELP prismvid_videos Videos of the library.\n# TYPE prismvid_videos gauge\nprismvid_videos "
      << context.documents.cards().size() << '\n';
  return out.str();
}

}  // namespace

void add_meta_routes(Router& router, Context& context) {
  router.add({"GET", "/metrics", Scope::kRead, "Metrics for Prometheus", [&](Request&) {
                return Response{200, "text/plain; version=0.0.4; charset=utf-8", {}, context.metrics.text() + job_metrics(context)};
              }});
  const auto text = std::make_shared<std::string>();
  router.add({"GET", "/openapi.json", Scope::kNone, "This description", [text](Request&) { return Response{200, "application/json", {}, *text}; }});
  *text = document::to_text(openapi(router));
}

}  // namespace prismvid::server

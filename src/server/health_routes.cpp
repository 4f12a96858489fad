#include <chrono>
#include <memory>
#include <mutex>

#ifdef PRISMVID_MLX
#include "server/engine_metrics.h"
#endif
#include "server/service.h"
#include "version.h"

// Whether the service works, its fast and its deep half apart.
namespace prismvid::server {
namespace {

using document::Json;

/// Looking for the deep model reads a checkpoint's folder, so the answer is kept for a while.
class DeepHealth {
 public:
  Json tell(SharedModels& models) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (known_.is_null() || now - at_ > std::chrono::seconds(30)) {
      known_ = look(models);
      at_ = now;
    }
    return known_;
  }

 private:
  static Json look(SharedModels& models) {
    try {
      const deep::ModelChoice choice = models.choose("");
      return {{"status", "ready"},
              {"model", choice.card.id},
              {"device", choice.card.device},
              {"weight_bytes", choice.weight_bytes}};
    } catch (const Error& error) {
      return {{"status", "unavailable"}, {"message", error.what()}};
    }
  }

  std::mutex mutex_;
  std::chrono::steady_clock::time_point at_;
  Json known_;
};

Json fast_health(Context& context) {
  Json models = Json::array();
  for (const vision::ModelManifest& model : context.models.models())
    models.push_back({{"task", model.task}, {"id", model.id}});
  return {{"status", "ready"}, {"models", models}};
}

Response ready(Context& context, DeepHealth& deep) {
  try {
    context.stores.borrow()->find_video("v_none");
  } catch (const Error& error) {
    return json_response({{"status", "unavailable"}, {"store", {{"status", "unavailable"}, {"message", error.what()}}}}, 503);
  }
  Json told = deep.tell(context.deep_models);
#ifdef PRISMVID_MLX
  told.update(engine_health(context.deep_models));
#endif
  const Json queue = context.jobs.borrow()->count_by_state();
  return json_response({{"status", "ready"},
                        {"fast", "ready"},
                        {"deep", told["status"]},
                        {"version", kVersion},
                        {"detail", {{"store", {{"status", "ready"}}}, {"queue", queue}, {"fast", fast_health(context)}, {"deep", told}}}});
}

}  // namespace

void add_health_routes(Router& router, Context& context) {
  router.add({"GET", "/v1/health/live", Scope::kNone, "Whether the process answers",
              [](Request&) { return json_response({{"status", "live"}, {"version", kVersion}}); }});
  const auto deep = std::make_shared<DeepHealth>();
  router.add({"GET", "/v1/health/ready", Scope::kNone, "Whether work can be done, fast and deep apart",
              [&context, deep](Request&) { return ready(context, *deep); }});
}

}  // namespace prismvid::server

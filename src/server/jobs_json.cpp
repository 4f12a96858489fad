#include "server/jobs_json.h"

#include <algorithm>
#include <chrono>

namespace prismvid::server {
namespace {

using document::Json;

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

double seconds_since(int64_t at_ms) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return static_cast<double>(std::max<int64_t>(0, now.count() - at_ms)) / 1000;
}

Json progress_of(const store::JobRecord& job, const Json& stored) {
  Json progress = stored.value("progress", Json::object());
  const int64_t at_ms = progress.value("at_ms", int64_t{0});
  progress.erase("at_ms");
  if (!progress.contains("fraction")) progress["fraction"] = 0;
  if (job.state == "done" || job.state == "partial") progress["fraction"] = 1;
  progress["stalled_seconds"] = job.state == "running" && at_ms > 0 ? seconds_since(at_ms) : 0;
  return progress;
}

}  // namespace

Json job_json(const store::JobRecord& job, int64_t queue_position) {
  const Json stored = Json::parse(job.progress_json, nullptr, false);
  Json stages = stored.value("stages", Json::array());
  if (job.state == "done")
    for (Json& stage : stages) {
      stage["status"] = "done";
      stage["fraction"] = 1;
    }
  return {{"id", job.id},
          {"video_id", text_or_null(job.video_id)},
          {"state", job.state},
          {"profile", job.profile},
          {"source", job.source},
          {"priority", job.priority},
          {"created_at", job.created_at},
          {"started_at", text_or_null(job.started_at)},
          {"finished_at", text_or_null(job.finished_at)},
          {"attempts", job.attempts},
          {"queue_position", queue_position},
          {"cancel_requested", job.cancel},
          {"progress", progress_of(job, stored)},
          {"stages", stages},
          {"request", Json::parse(job.request_json, nullptr, false)},
          {"error", Json::parse(job.error_json, nullptr, false)}};
}

Json accepted_json(const store::JobRecord& job) {
  const std::string url = "/v1/jobs/" + job.id;
  return {{"job_id", job.id},
          {"video_id", text_or_null(job.video_id)},
          {"state", job.state},
          {"cached", false},
          {"status_url", url},
          {"events_url", url + "/events"},
          {"result_url", job.video_id.empty() ? Json() : Json("/v1/videos/" + job.video_id)}};
}

}  // namespace prismvid::server

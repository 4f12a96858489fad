#include "server/estimate.h"
#include "server/json_body.h"
#include "server/service.h"

// Before and after: how long an analysis will take, and analysing again.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kMaxRequestBytes = 256 << 10;

std::string profile_of(const BodyJson& body) {
  const std::string profile = string_key(body, "profile").value_or("fast");
  if (profile != "fast" && profile != "deep") wrong_key("profile", "\"fast\" or \"deep\"");
  return profile;
}

Response post_estimate(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"duration", "profile"});
  const auto duration = number_key(body, "duration");
  if (!duration || !(*duration >= 0 && *duration <= 1e9)) wrong_key("duration", "given in seconds");
  return json_response(estimate(*duration, profile_of(body) == "deep", context.documents));
}

std::vector<std::string> videos_of(const BodyJson& body, Context& context) {
  std::vector<std::string> videos;
  const auto list = body.find("video_ids");
  if (list == body.end() || list->is_null()) {
    for (const auto& card : context.documents.cards()) videos.push_back(card->id);
    return videos;
  }
  if (!list->is_array()) wrong_key("video_ids", "a list of ids");
  for (const auto& id : *list) {
    if (!id.is_string()) wrong_key("video_ids", "a list of ids");
    videos.push_back(id.get<std::string>());
  }
  return videos;
}

/// A job for each video. What is stored and still right is not run again, unless all is asked for.
Response post_reindex(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"video_ids", "profile", "only"});
  const std::string only = string_key(body, "only").value_or("missing");
  if (only != "missing" && only != "stale" && only != "all") wrong_key("only", "missing, stale or all");
  const std::string profile = profile_of(body);
  Json started = Json::array(), skipped = Json::array();
  const auto jobs = context.jobs.borrow();
  for (const std::string& id : videos_of(body, context)) {
    const auto video = context.stores.borrow()->find_video(id);
    check(video.has_value(), ErrorCode::kNotFound, "there is no video '", id, "'");
    try {
      context.media.open_and_close(video->path);
    } catch (const HttpError& error) {
      skipped.push_back({{"video", id}, {"code", error.code_name()}, {"message", error.what()}});
      continue;
    }
    store::NewJob job;
    job.owner = request.key_id;
    job.source = video->path;
    job.profile = profile;
    job.video_id = id;
    job.request_json = document::Json{{"source", {{"path", video->path}}}, {"profile", profile}, {"force", only == "all"}}.dump(-1, ' ', false, Json::error_handler_t::replace);
    started.push_back(jobs->add(job).job.id);
  }
  return json_response({{"jobs", started}, {"skipped", skipped}}, 202);
}

}  // namespace

void add_plan_routes(Router& router, Context& context) {
  router.add({"POST", "/v1/estimate", Scope::kRead, "How long an analysis takes on this machine",
              [&](Request& request) { return post_estimate(request, context); }, kMaxRequestBytes, {}, "EstimateRequest"});
  router.add({"POST", "/v1/reindex", Scope::kAdmin, "Analyses videos again, where something changed",
              [&](Request& request) { return post_reindex(request, context); }, kMaxRequestBytes, {}, "ReindexRequest"});
}

}  // namespace prismvid::server

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "document/json.h"
#include "media/open_video.h"
#include "pipeline/file_identity.h"
#include "pipeline/plan.h"
#include "server/job_request.h"
#include "server/job_form.h"
#include "server/jobs_json.h"
#include "server/url_rules.h"
#include "server/parameters.h"
#include "server/service.h"

// Jobs: asking for an analysis, watching it, cancelling it.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kMaxRequestBytes = 256 << 10;
constexpr size_t kLongestIdempotencyKey = 255;
constexpr auto kHeartbeat = std::chrono::seconds(10);

/// What a request names, once it was looked at.
struct FoundVideo {
  std::string video_id;    // empty: this file was not seen before
  std::string result_url;  // not empty where everything asked for is stored
};

/// A file that is no video is refused at once.
void check_decodes(const std::filesystem::path& file) {
  media::OpenOptions options;
  options.threads = 1;
  media::open_video(file, options);
}

/// Whether the last document has every stage that would run, under the same key.
bool is_cached(const JobRequest& request, const document::Document& document, const vision::ModelRegistry& models,
               const std::filesystem::path& file) {
  if (request.profile != "fast" || request.options.force) return false;
  const auto plans = pipeline::plan_stages(request.options, models, document.video.sha256, file);
  return std::all_of(plans.begin(), plans.end(), [&](const pipeline::StagePlan& plan) {
    const document::Stage* stage = document::find_stage(document, plan.name);
    if (!stage) return false;
    if (plan.unavailable) return stage->status == document::StageStatus::kUnavailable;
    const bool done = stage->status == document::StageStatus::kDone || stage->status == document::StageStatus::kCached;
    return done && stage->cache_key == plan.cache_key;
  });
}

FoundVideo find_video(JobRequest& request, Context& context) {
  if (request.kind == SourceKind::kUrl) {
    check_url(request.source);
    return {};
  }
  const bool uploaded = request.kind == SourceKind::kUpload;
  const OpenFile file = context.media.open(uploaded ? context.uploads.finished(request.source).path : request.source);
  ::close(file.descriptor);
  const auto store = context.stores.borrow();
  const auto sha256 = store->known_hash(pipeline::identify_file(file.path));
  const auto video = sha256 ? store->find_video(*sha256) : std::nullopt;
  if (!video) {
    check_decodes(file.path);
    return {};
  }
  FoundVideo found{video->id, ""};
  if (!store->latest_document(video->id)) return found;
  drop_unasked(request, context.models);
  const auto published = context.documents.get(video->id);
  if (is_cached(request, published->document, context.models, file.path)) found.result_url = "/v1/videos/" + video->id;
  return found;
}

Response cached_answer(const FoundVideo& found) {
  return json_response({{"job_id", nullptr},
                        {"video_id", found.video_id},
                        {"state", "done"},
                        {"cached", true},
                        {"status_url", nullptr},
                        {"events_url", nullptr},
                        {"result_url", found.result_url}});
}

void check_room(store::JobStore& jobs, int64_t most) {
  if (jobs.count_by_state()["queued"] < most) return;
  throw HttpError(429, "queue_full", "there are " + std::to_string(most) + " jobs in the queue already: try again later",
                  {{"Retry-After", "60"}});
}

/// Multipart: the file becomes an upload, and the part `request` may hold the rest.
BodyPlan plan_job_body(Request& request, Context& context) {
  if (!request.header("content-type").starts_with("multipart/form-data")) return {kMaxRequestBytes};
  return {context.uploads.most_bytes() + kMaxRequestBytes, nullptr, std::make_shared<JobForm>(context.uploads, request.key_id)};
}

std::string job_body(Request& request) {
  const auto form = std::dynamic_pointer_cast<JobForm>(request.plan.form);
  return form ? form->finish() : request.body;
}

Response post_job(Request& request, Context& context) {
  JobRequest asked = parse_job_request(job_body(request));
  store::NewJob job;
  job.idempotency_key = request.header("idempotency-key");
  if (job.idempotency_key.size() > kLongestIdempotencyKey)
    throw HttpError(400, "invalid_header", "Idempotency-Key may have 255 characters at most");
  const FoundVideo found = find_video(asked, context);
  if (!found.result_url.empty() && job.idempotency_key.empty()) return cached_answer(found);
  job.owner = request.key_id;
  job.request_json = document::to_text(asked.stored);
  job.source = asked.source;
  job.profile = asked.profile;
  job.video_id = found.video_id;
  job.priority = asked.priority;
  job.webhook_url = asked.webhook_url;
  job.webhook_secret = asked.webhook_secret;
  const auto jobs = context.jobs.borrow();
  check_room(*jobs, context.options.most_queued_jobs);
  const auto added = jobs->add(job);
  if (asked.kind == SourceKind::kUpload) context.uploads.mark_used(asked.source);
  if (!added.fresh && added.job.request_json != job.request_json)
    throw HttpError(409, "idempotency_conflict", "this Idempotency-Key was used for another request, job " + added.job.id);
  Response response = json_response(accepted_json(added.job), 202);
  response.headers.emplace_back("Location", "/v1/jobs/" + added.job.id);
  return response;
}

store::JobRecord require_job(store::JobStore& jobs, const std::string& id) {
  auto job = jobs.find(id);
  check(job.has_value(), ErrorCode::kNotFound, "there is no job '", id, "'");
  return *job;
}

Response get_job(Request& request, Context& context) {
  const auto jobs = context.jobs.borrow();
  const store::JobRecord job = require_job(*jobs, request.value("id"));
  return json_response(job_json(job, jobs->ahead_of(job)));
}

Response list_jobs(Request& request, Context& context) {
  const auto states = list_parameter(request, "state", {"queued", "running", "done", "partial", "failed", "cancelled"});
  if (states.size() > 1) throw HttpError(400, "invalid_parameter", "state takes one state at a time");
  const auto limit = static_cast<int>(integer_parameter(request, "limit", 50, 1, 500));
  const auto jobs = context.jobs.borrow();
  Json list = Json::array();
  const auto found = jobs->list(states.empty() ? "" : *states.begin(), request.parameter("cursor").value_or(""), limit);
  for (const store::JobRecord& job : found) list.push_back(job_json(job, jobs->ahead_of(job)));
  const bool more = static_cast<int>(found.size()) == limit;
  return json_response({{"jobs", list}, {"counts", jobs->count_by_state()}, {"next_cursor", more ? Json(found.back().id) : Json()}});
}

Response cancel_job(Request& request, Context& context) {
  const auto jobs = context.jobs.borrow();
  const auto job = jobs->cancel(request.value("id"));
  check(job.has_value(), ErrorCode::kNotFound, "there is no job '", request.value("id"), "'");
  return json_response(job_json(*job, 0), job->state == "running" ? 202 : 200);
}

/// A job's events as a stream of server-sent events.
class EventStream {
 public:
  EventStream(Context& context, std::string job_id, int64_t last, std::stop_token stop)
      : context_(context), job_id_(std::move(job_id)), last_(last), stop_(std::move(stop)) {}

  std::optional<std::string> next() {
    if (ended_ || stop_.stop_requested()) return std::nullopt;
    if (std::string text = read(); !text.empty()) return text;
    if (ended_) return std::nullopt;
    context_.events.wait(job_id_, last_, kHeartbeat, stop_);
    if (stop_.stop_requested()) return std::nullopt;
    std::string text = read();
    if (text.empty() && !ended_) text = ": still here\n\n";
    return text.empty() ? std::nullopt : std::optional(text);
  }

 private:
  std::string read() {
    const auto jobs = context_.jobs.borrow();
    // Looked at first: the last events are there when the state says so.
    const auto job = jobs->find(job_id_);
    const bool over = !job || (job->state != "queued" && job->state != "running");
    std::string text;
    for (const store::JobEvent& event : jobs->events_after(job_id_, last_)) {
      text += "id: " + std::to_string(event.sequence) + "\nevent: " + event.kind + "\ndata: " + event.data_json + "\n\n";
      last_ = event.sequence;
      ended_ = ended_ || event.kind == "done";
    }
    ended_ = ended_ || over;
    return text;
  }

  Context& context_;
  std::string job_id_;
  int64_t last_;
  std::stop_token stop_;
  bool ended_ = false;
};

int64_t last_event_id(const Request& request) {
  const std::string text = request.header("last-event-id");
  int64_t last = 0;
  if (text.empty()) return last;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), last);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || last < 0)
    throw HttpError(400, "invalid_header", "Last-Event-ID must be the id of an event of this stream");
  return last;
}

Response job_events(Request& request, Context& context) {
  const int64_t last = last_event_id(request);
  {
    const auto jobs = context.jobs.borrow();
    const store::JobRecord job = require_job(*jobs, request.value("id"));
    const bool ended = job.state != "queued" && job.state != "running";
    // A browser that comes back for more than there is stops asking when it gets this.
    if (ended && jobs->events_after(job.id, last).empty()) return {204, "", {}, ""};
  }
  const auto stream = std::make_shared<EventStream>(context, request.value("id"), last, request.stop);
  return event_stream([stream] { return stream->next(); });
}

}  // namespace

void add_job_routes(Router& router, Context& context) {
  const auto add = [&](const char* method, const char* path, Scope scope, const char* summary,
                       Response (*run)(Request&, Context&), std::vector<QueryParameter> query = {}) {
    router.add({method, path, scope, summary, [&context, run](Request& request) { return run(request, context); }, 0, std::move(query)});
  };
  for (const char* path : {"/analyze/video", "/v1/jobs"})
    router.add({"POST", path, Scope::kWrite, "Starts an analysis", [&](Request& request) { return post_job(request, context); },
                kMaxRequestBytes, {}, "JobRequest", [&](Request& request) { return plan_job_body(request, context); }});
  add("GET", "/v1/jobs", Scope::kRead, "Jobs, newest first", list_jobs, {{"state"}, {"cursor"}, {"limit", "integer"}});
  add("GET", "/v1/jobs/{id}", Scope::kRead, "One job with its progress", get_job);
  add("DELETE", "/v1/jobs/{id}", Scope::kWrite, "Cancels a job; what it has finished stays stored", cancel_job);
  add("GET", "/v1/jobs/{id}/events", Scope::kRead, "A job's progress as server-sent events", job_events);
}

}  // namespace prismvid::server

#include "server/job_runner.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <new>
#include <thread>

#include "core/sha256.h"
#include "document/build.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "pipeline/file_identity.h"
#include "server/http.h"
#include "server/uploads.h"
#include "server/url_fetch.h"
#include "store/service_store.h"
#include "store/open_store.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kShowEveryMs = 400;
constexpr int kRenewalsALease = 4;

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string error_json(const std::string& code, const std::string& message, bool retryable) {
  return document::to_text({{"code", code}, {"message", message}, {"retryable", retryable}});
}

std::string error_json(const Error& error) {
  const auto* refusal = dynamic_cast<const HttpError*>(&error);
  const bool retryable = error.code() == ErrorCode::kUnavailable;
  return error_json(refusal ? refusal->code_name() : to_string(error.code()), error.what(), retryable);
}

/// Of a finished analysis, for the job.
std::string state_of(const document::Document& document) {
  return document.analysis.status == "complete" ? "done" : document.analysis.status;
}

}  // namespace

JobRunner::JobRunner(const WorkerOptions& options, const MediaRoots& media, SharedModels& deep_models,
                     store::JobStore& jobs, const store::Claim& claim)
    : options_(options),
      media_(media),
      jobs_(jobs),
      claim_(claim),
      request_(parse_stored_request(claim.job.request_json)),
      progress_(request_.options),
      deep_models_(deep_models, interrupt_.get_token()) {}

void JobRunner::run(std::stop_token stop) {
  const std::stop_callback stopping(stop, [this] { interrupt(Why::kStopping); });
  const std::jthread keeper([this](std::stop_token done) { keep_lease(done); });
  spdlog::info("job {}: attempt {} of {}", claim_.job.id, claim_.lease.attempt, claim_.job.source);
  try {
    const document::Document document = analyze();
    for (const document::Warning& warning : document.analysis.warnings)
      jobs_.add_event(claim_.lease, "warning", document::to_text({{"code", warning.code}, {"message", warning.message}}));
    const auto& degraded = document.analysis.degraded;
    const bool failed = document.analysis.status == "failed";
    end(state_of(document), failed && degraded ? error_json(degraded->code, degraded->message, false) : "null");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kStore) throw;
    if (error.code() == ErrorCode::kCancelled) return end_stopped();
    end("failed", error_json(error));
  } catch (const std::bad_alloc&) {
    end("failed", error_json("out_of_memory", "out of memory", true));
  } catch (const std::exception& error) {
    spdlog::error("job {}: {}", claim_.job.id, error.what());
    end("failed", error_json("internal", "a bug of PrismVid; its log says more", false));
  }
}

document::Document JobRunner::analyze() {
  const auto store = store::open_store(options_.database);
  const auto models = vision::ModelRegistry::standard(options_.models);
  drop_unasked(request_, models);
  const std::filesystem::path file = find_file();
  find_video(file, *store);
  pipeline::Analyzer analyzer(*store, models, &deep_models_);
  return analyzer.analyze(file, request_.options, [this](const pipeline::Progress& progress) { show(progress); },
                          interrupt_.get_token());
}

/// The rules hold when the job runs, not only when it was accepted.
std::filesystem::path JobRunner::find_file() {
  std::filesystem::path path = request_.source;
  if (request_.kind == SourceKind::kUrl) {
    show({path.filename().string(), "fetch"});
    path = fetch_url(request_.source, options_.uploads, {options_.allow_private_urls, options_.most_fetched_bytes}, interrupt_.get_token());
  } else if (request_.kind == SourceKind::kUpload) {
    const auto upload = store::open_service_store(options_.database)->find_upload(request_.source);
    check(upload.has_value(), ErrorCode::kNotFound, "upload ", request_.source, " is gone");
    path = upload->path;
  }
  const OpenFile file = media_.open(path);
  ::close(file.descriptor);
  return file.path;
}

/// Whoever waits for the job learns early which video it is about.
void JobRunner::find_video(const std::filesystem::path& file, store::Store& store) {
  const store::FileIdentity identity = pipeline::identify_file(file);
  auto sha256 = store.known_hash(identity);
  if (!sha256) {
    show({file.filename().string(), "hash"});
    sha256 = sha256_file(file, interrupt_.get_token());
    store.remember_file(identity, *sha256);
  }
  const auto known = store.find_video(*sha256);
  jobs_.set_video(claim_.lease, known ? known->id : document::video_id(*sha256));
}

void JobRunner::show(const pipeline::Progress& progress) {
  const bool changed = progress_.take(progress);
  const int64_t now = now_ms();
  if (!changed && now - shown_at_ms_ < kShowEveryMs) return;
  shown_at_ms_ = now;
  if (changed) jobs_.add_event(claim_.lease, "stage", document::to_text({{"stage", progress.stage}}));
  if (!jobs_.report(claim_.lease, progress_.json(now))) interrupt(Why::kLost);
}

void JobRunner::end(const std::string& state, const std::string& error) {
  if (!jobs_.finish(claim_.lease, state, error))
    spdlog::warn("job {}: finished, but another worker has taken it over", claim_.job.id);
  else
    spdlog::info("job {}: {}", claim_.job.id, state);
}

void JobRunner::end_stopped() {
  if (why_ == Why::kCancelled) end("cancelled", "null");
  if (why_ == Why::kStopping) jobs_.give_back(claim_.lease);
  if (why_ == Why::kLost) spdlog::warn("job {}: another worker has taken it over", claim_.job.id);
}

/// On a connection of its own, since the analysis's thread may be busy for longer than the lease.
void JobRunner::keep_lease(const std::stop_token& done) {
  std::mutex mutex;
  std::condition_variable_any woken;
  std::unique_ptr<store::JobStore> jobs;
  while (!done.stop_requested()) {
    try {
      if (!jobs) jobs = store::open_job_store(options_.database);
      const auto held = jobs->renew(claim_.lease, options_.lease_ms);
      if (held == store::JobStore::Held::kCancel) interrupt(Why::kCancelled);
      if (held == store::JobStore::Held::kLost) interrupt(Why::kLost);
    } catch (const Error& error) {
      spdlog::warn("job {}: its lease could not be renewed: {}", claim_.job.id, error.what());
    }
    std::unique_lock lock(mutex);
    const int64_t pause_ms = std::min<int64_t>(options_.lease_ms / kRenewalsALease, 1000);
    woken.wait_for(lock, done, std::chrono::milliseconds(pause_ms), [] { return false; });
  }
}

void JobRunner::interrupt(Why why) {
  Why none = Why::kNone;
  why_.compare_exchange_strong(none, why);
  interrupt_.request_stop();
}

}  // namespace prismvid::server

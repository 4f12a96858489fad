#pragma once

#include <atomic>
#include <mutex>
#include <stop_token>
#include <string>

#include "document/document.h"
#include "pipeline/options.h"
#include "server/job_progress.h"
#include "server/job_request.h"
#include "server/media_roots.h"
#include "server/shared_models.h"
#include "server/workers.h"
#include "store/job_store.h"
#include "store/store.h"

namespace prismvid::server {

/// Runs one job under its lease, from the file to the last event.
class JobRunner {
 public:
  JobRunner(const WorkerOptions& options, const MediaRoots& media, SharedModels& deep_models,
            store::JobStore& jobs, const store::Claim& claim);

  /// `stop` gives the job back to the queue. Throws Error(kStore) only; then the lease runs out.
  void run(std::stop_token stop);

 private:
  enum class Why { kNone, kStopping, kCancelled, kLost };

  document::Document analyze();
  std::filesystem::path find_file();
  void find_video(const std::filesystem::path& file, store::Store& store);
  void show(const pipeline::Progress& progress);
  void end(const std::string& state, const std::string& error_json);
  void end_stopped();
  void keep_lease(const std::stop_token& done);
  void interrupt(Why why);

  const WorkerOptions& options_;
  const MediaRoots& media_;
  store::JobStore& jobs_;
  store::Claim claim_;
  JobRequest request_;
  JobProgress progress_;
  int64_t shown_at_ms_ = 0;
  std::stop_source interrupt_;
  JobModels deep_models_;
  std::atomic<Why> why_{Why::kNone};
};

}  // namespace prismvid::server

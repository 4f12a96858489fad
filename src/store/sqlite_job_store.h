#pragma once

#include "store/job_store.h"
#include "store/sqlite_database.h"

namespace prismvid::store {

/// The queue in the database of the results. Tables are in migrations.cpp.
class SqliteJobStore final : public JobStore {
 public:
  explicit SqliteJobStore(const std::filesystem::path& file);

  Added add(const NewJob& job) override;
  std::optional<JobRecord> find(const std::string& id) override;
  std::vector<JobRecord> list(const std::string& state, const std::string& before,
                              int limit) override;
  int64_t ahead_of(const JobRecord& job) override;
  std::map<std::string, int64_t> count_by_state() override;
  std::optional<JobRecord> cancel(const std::string& id) override;
  int64_t forget_ended(int64_t seconds, int64_t keep) override;

  std::optional<Claim> claim(const std::string& worker, int64_t lease_ms,
                             int most_attempts) override;
  Held renew(const Lease& lease, int64_t lease_ms) override;
  bool set_video(const Lease& lease, const std::string& video_id) override;
  bool report(const Lease& lease, const std::string& progress_json) override;
  bool add_event(const Lease& lease, const std::string& kind,
                 const std::string& data_json) override;
  bool finish(const Lease& lease, const std::string& state,
              const std::string& error_json) override;
  bool give_back(const Lease& lease) override;

  int64_t version() override;
  std::vector<JobEvent> events_after(const std::string& job_id, int64_t sequence) override;
  std::map<std::string, int64_t> jobs_with_events_after(int64_t sequence) override;

 private:
  bool holds(const Lease& lease);
  void insert_event(int64_t job, const std::string& kind, const std::string& data_json);
  /// Sets the final state, tells it, and lets the job's webhook go.
  void end(int64_t job, const std::string& state, const std::string& error_json);
  std::optional<int64_t> next_job(int64_t now_ms);

  Database database_;
};

}  // namespace prismvid::store

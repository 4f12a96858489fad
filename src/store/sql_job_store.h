#pragma once

#include "store/database.h"
#include "store/job_store.h"

namespace prismvid::store {

/// The queue in the database of the results. Tables are in schema.cpp.
class SqlJobStore final : public JobStore {
 public:
  explicit SqlJobStore(std::unique_ptr<Database> database);

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
  bool finish(const Lease& lease, const std::string& state, const std::string& error_json) override;
  bool give_back(const Lease& lease) override;

  int64_t version() override;
  bool tells_of_changes() const override { return database_->dialect() == Dialect::kPostgres; }
  bool wait_for_change(int64_t timeout_ms) override;
  std::vector<JobEvent> events_after(const std::string& job_id, int64_t sequence) override;
  std::map<std::string, int64_t> jobs_with_events_after(int64_t sequence) override;

 private:
  /// Sets columns of the job as long as the lease holds; false when it does not.
  template <typename... Values>
  bool change(const Lease& lease, const char* assignments, const Values&... values);
  void insert_event(int64_t job, const std::string& kind, const std::string& data_json);
  /// Sets the final state, tells it, and lets the job's webhook go.
  void end(int64_t job, const std::string& state, const std::string& error_json);
  std::optional<int64_t> next_job(const char* suffix);

  std::unique_ptr<Database> database_;
};

}  // namespace prismvid::store

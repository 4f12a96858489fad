#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace prismvid::store {

/// An analysis to do, doing or done.
struct JobRecord {
  std::string id;     // "j_12"
  std::string state;  // queued, running, done, partial, failed, cancelled
  int priority = 0;   // higher goes first
  std::string owner;  // id of the API key; empty: this machine
  std::string request_json;
  std::string source;  // what to analyse, for people: a path, an upload, a URL
  std::string profile;
  std::string video_id;  // empty until it is known
  std::string created_at;
  std::string started_at;
  std::string finished_at;
  int attempts = 0;  // times it was taken
  bool cancel = false;
  std::string progress_json = "{}";
  std::string error_json = "null";
};

struct NewJob {
  std::string owner;
  std::string idempotency_key;  // empty: none
  std::string request_json;
  std::string source;
  std::string profile;
  std::string video_id;
  int priority = 0;
  std::string webhook_url;  // empty: none
  std::string webhook_secret;
};

struct JobEvent {
  int64_t sequence = 0;
  std::string kind;
  std::string data_json;
};

/// One worker's right to a job, until it runs out. A worker that was thought dead and comes back
/// holds an old one, with which it can change nothing any more.
struct Lease {
  std::string job_id;
  std::string worker;
  int attempt = 0;
};

struct Claim {
  JobRecord job;
  Lease lease;
};

/// The queue of a service: what it has accepted stays accepted, whatever dies. Several processes
/// may use one. Every call is one transaction. Failures throw Error(kStore); one object serves one
/// thread at a time.
class JobStore {
 public:
  virtual ~JobStore() = default;

  struct Added {
    JobRecord job;
    bool fresh = true;  // false: the job of an earlier request with this idempotency key
  };
  /// Stored on the disk when it returns.
  virtual Added add(const NewJob& job) = 0;
  virtual std::optional<JobRecord> find(const std::string& id) = 0;
  /// Newest first; `state` empty means any, `before` continues behind that job.
  virtual std::vector<JobRecord> list(const std::string& state, const std::string& before,
                                      int limit) = 0;
  /// How many jobs go before a queued one.
  virtual int64_t ahead_of(const JobRecord& job) = 0;
  virtual std::map<std::string, int64_t> count_by_state() = 0;
  /// A queued job ends at once, a running one when its worker sees it; others stay as they are.
  /// nullopt: no such job.
  virtual std::optional<JobRecord> cancel(const std::string& id) = 0;
  /// Forgets, with their events, ended jobs that ended longer ago than `seconds` and those that are
  /// not among the `keep` newest ended ones. A job whose webhook is still to be sent stays. Gives
  /// how many went.
  virtual int64_t forget_ended(int64_t seconds, int64_t keep) = 0;

  // --- workers
  /// The next job: queued, or running under a lease that ran out. A job that has been taken
  /// `most_attempts` times ends as failed instead.
  virtual std::optional<Claim> claim(const std::string& worker, int64_t lease_ms,
                                     int most_attempts) = 0;
  enum class Held { kYes, kCancel, kLost };
  virtual Held renew(const Lease& lease, int64_t lease_ms) = 0;
  /// The following do nothing and give false when the lease is lost.
  virtual bool set_video(const Lease& lease, const std::string& video_id) = 0;
  /// Replaces the last `progress` event of the job.
  virtual bool report(const Lease& lease, const std::string& progress_json) = 0;
  virtual bool add_event(const Lease& lease, const std::string& kind,
                         const std::string& data_json) = 0;
  /// Ends the job, with its last event ("done" or "error").
  virtual bool finish(const Lease& lease, const std::string& state,
                      const std::string& error_json) = 0;
  /// Puts the job back for another worker, as if it had not been taken.
  virtual bool give_back(const Lease& lease) = 0;

  // --- events
  /// Changes with every commit of another connection; costs microseconds.
  virtual int64_t version() = 0;
  /// Whether wait_for_change() can be used; SQLite tells nobody.
  virtual bool tells_of_changes() const = 0;
  /// True as soon as jobs were added, given back or ended since the last call, false after the
  /// time.
  virtual bool wait_for_change(int64_t timeout_ms) = 0;
  virtual std::vector<JobEvent> events_after(const std::string& job_id, int64_t sequence) = 0;
  /// Number of the newest event of each job that has one behind `sequence`.
  virtual std::map<std::string, int64_t> jobs_with_events_after(int64_t sequence) = 0;
};

}  // namespace prismvid::store

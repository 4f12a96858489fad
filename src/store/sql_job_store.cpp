#include "store/sql_job_store.h"

#include "core/error.h"
#include "store/sql_store.h"

namespace prismvid::store {
namespace {

constexpr char kDied[] =
    R"({"code":"worker_died","message":"the worker died each time it ran this job","retryable":false})";

constexpr char kColumns[] =
    "SELECT number, state, priority, owner, request_json, source, profile, video_id, created_at, "
    "started_at, finished_at, attempts, cancel, progress_json, error_json FROM jobs ";

JobRecord read_job(const Statement& row) {
  JobRecord job;
  job.id = prefixed("j", row.integer(0));
  job.state = row.text(1);
  job.priority = static_cast<int>(row.integer(2));
  job.owner = row.text(3);
  job.request_json = row.text(4);
  job.source = row.text(5);
  job.profile = row.text(6);
  job.video_id = row.text(7);
  job.created_at = row.text(8);
  job.started_at = row.text(9);
  job.finished_at = row.text(10);
  job.attempts = static_cast<int>(row.integer(11));
  job.cancel = row.integer(12) != 0;
  job.progress_json = row.text(13);
  job.error_json = row.text(14);
  return job;
}

/// 0 is nobody's number.
int64_t number_of(const std::string& id) {
  return numbered("j", id).value_or(0);
}

}  // namespace

SqlJobStore::SqlJobStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

JobStore::Added SqlJobStore::add(const NewJob& job) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  const std::optional<std::string> key =
      job.idempotency_key.empty() ? std::nullopt : std::optional(job.idempotency_key);
  Statement insert(*database_,
                   "INSERT INTO jobs (state, priority, owner, idempotency_key, request_json, "
                   "source, profile, video_id, created_at) "
                   "VALUES ('queued', ?, ?, ?, ?, ?, ?, ?, time_text(0)) "
                   "ON CONFLICT (owner, idempotency_key) DO NOTHING RETURNING number",
                   job.priority, job.owner, key, job.request_json, job.source, job.profile,
                   job.video_id);
  const auto number = insert.returned();
  if (!number) {
    Statement row(*database_, std::string(kColumns) + "WHERE owner = ? AND idempotency_key = ?",
                  job.owner, job.idempotency_key);
    check(row.step(), ErrorCode::kStore,
          "the job of this idempotency key is being deleted; try again");
    return {read_job(row), false};
  }
  if (!job.webhook_url.empty())
    Statement(*database_,
              "INSERT INTO webhooks (job, url, secret, state) VALUES (?, ?, ?, 'waiting')", *number,
              job.webhook_url, job.webhook_secret)
        .run();
  Added added{*find(prefixed("j", *number)), true};
  transaction.commit();
  return added;
}

std::optional<JobRecord> SqlJobStore::find(const std::string& id) {
  Statement row(*database_, std::string(kColumns) + "WHERE number = ?", number_of(id));
  if (!row.step()) return std::nullopt;
  return read_job(row);
}

std::vector<JobRecord> SqlJobStore::list(const std::string& state, const std::string& before,
                                         int limit) {
  const int64_t last = before.empty() ? INT64_MAX : number_of(before);
  std::vector<JobRecord> jobs;
  Statement rows(*database_,
                 std::string(kColumns) +
                     "WHERE number < ? AND (? = '' OR state = ?) ORDER BY number DESC LIMIT ?",
                 last, state, state, limit);
  while (rows.step()) jobs.push_back(read_job(rows));
  return jobs;
}

int64_t SqlJobStore::ahead_of(const JobRecord& job) {
  if (job.state != "queued") return 0;
  Statement row(*database_,
                "SELECT count(*) FROM jobs WHERE state = 'queued' AND "
                "(priority > ? OR (priority = ? AND number < ?))",
                job.priority, job.priority, number_of(job.id));
  row.step();
  return row.integer(0);
}

std::map<std::string, int64_t> SqlJobStore::count_by_state() {
  std::map<std::string, int64_t> counts;
  Statement rows(*database_, "SELECT state, count(*) FROM jobs GROUP BY state");
  while (rows.step()) counts[rows.text(0)] = rows.integer(1);
  return counts;
}

std::optional<JobRecord> SqlJobStore::cancel(const std::string& id) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  const int64_t number = number_of(id);
  // The row is locked before it is looked at, so that no worker takes or ends the job meanwhile.
  Statement(*database_,
            "UPDATE jobs SET cancel = 1 WHERE number = ? AND state IN ('queued', 'running')",
            number)
      .run();
  auto job = find(id);
  if (!job) return std::nullopt;
  if (job->state == "queued") {
    end(number, "cancelled", "null");
    job = find(id);
  }
  transaction.commit();
  return job;
}

int64_t SqlJobStore::forget_ended(int64_t seconds, int64_t keep) {
  constexpr char kEnded[] = "state NOT IN ('queued', 'running')";
  Transaction transaction(*database_, TransactionKind::kWrite);
  Statement(*database_,
            std::string("DELETE FROM jobs WHERE ") + kEnded +
                " AND (finished_at < time_text(?) "
                "OR number NOT IN (SELECT number FROM jobs WHERE " +
                kEnded +
                " ORDER BY number DESC LIMIT ?)) "
                "AND number NOT IN (SELECT job FROM webhooks WHERE state IN ('waiting', 'due'))",
            -seconds, keep)
      .run();
  const int64_t gone = database_->changes();
  transaction.commit();
  return gone;
}

std::optional<int64_t> SqlJobStore::next_job(const char* suffix) {
  // Work that was begun comes first: somebody waits for it already.
  for (const char* state : {"'running' AND lease_until_ms < now_ms()", "'queued'"}) {
    Statement row(*database_, std::string("SELECT number FROM jobs WHERE state = ") + state +
                                  " ORDER BY priority DESC, number LIMIT 1" + suffix);
    if (row.step()) return row.integer(0);
  }
  return std::nullopt;
}

std::optional<Claim> SqlJobStore::claim(const std::string& worker, int64_t lease_ms,
                                        int most_attempts) {
  // Looking first without a lock: idle workers must not keep others from writing.
  if (!next_job("")) return std::nullopt;
  Transaction transaction(*database_, TransactionKind::kWrite);
  while (const auto number = next_job(skip_locked(*database_))) {
    const JobRecord known = *find(prefixed("j", *number));
    if (known.cancel || known.attempts >= most_attempts) {
      end(*number, known.cancel ? "cancelled" : "failed", known.cancel ? "null" : kDied);
      continue;
    }
    Statement(*database_,
              "UPDATE jobs SET state = 'running', worker = ?, lease_until_ms = now_ms() + ?, "
              "attempts = attempts + 1, started_at = CASE started_at WHEN '' THEN time_text(0) "
              "ELSE started_at END WHERE number = ?",
              worker, lease_ms, *number)
        .run();
    Claim claim;
    claim.job = *find(known.id);
    claim.lease = {known.id, worker, claim.job.attempts};
    transaction.commit();
    return claim;
  }
  transaction.commit();
  return std::nullopt;
}

template <typename... Values>
bool SqlJobStore::change(const Lease& lease, const char* assignments, const Values&... values) {
  Statement(*database_,
            std::string("UPDATE jobs SET ") + assignments +
                " WHERE number = ? AND worker = ? AND attempts = ? AND state = 'running'",
            values..., number_of(lease.job_id), lease.worker, lease.attempt)
      .run();
  return database_->changes() == 1;
}

JobStore::Held SqlJobStore::renew(const Lease& lease, int64_t lease_ms) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  if (!change(lease, "lease_until_ms = now_ms() + ?", lease_ms)) return Held::kLost;
  const bool cancelled = find(lease.job_id)->cancel;
  transaction.commit();
  return cancelled ? Held::kCancel : Held::kYes;
}

bool SqlJobStore::set_video(const Lease& lease, const std::string& video_id) {
  return change(lease, "video_id = ?", video_id);
}

void SqlJobStore::insert_event(int64_t job, const std::string& kind, const std::string& data_json) {
  database_->lock(Lock::kEvents);
  Statement(*database_, "INSERT INTO job_events (job, kind, data_json) VALUES (?, ?, ?)", job, kind,
            data_json)
      .run();
}

bool SqlJobStore::report(const Lease& lease, const std::string& progress_json) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  if (!change(lease, "progress_json = ?", progress_json)) return false;
  const int64_t job = number_of(lease.job_id);
  Statement(*database_, "DELETE FROM job_events WHERE job = ? AND kind = 'progress'", job).run();
  insert_event(job, "progress", progress_json);
  transaction.commit();
  return true;
}

bool SqlJobStore::add_event(const Lease& lease, const std::string& kind,
                            const std::string& data_json) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  if (!change(lease, "worker = worker")) return false;  // locks the row
  insert_event(number_of(lease.job_id), kind, data_json);
  transaction.commit();
  return true;
}

void SqlJobStore::end(int64_t job, const std::string& state, const std::string& error_json) {
  Statement(*database_,
            "UPDATE jobs SET state = ?, error_json = ?, worker = '', lease_until_ms = 0, "
            "finished_at = time_text(0) WHERE number = ?",
            state, error_json, job)
      .run();
  Statement(*database_, "UPDATE webhooks SET state = 'due' WHERE job = ? AND state = 'waiting'",
            job)
      .run();
  if (error_json != "null") insert_event(job, "error", error_json);
  insert_event(job, "done", "{\"state\":\"" + state + "\"}");
}

bool SqlJobStore::finish(const Lease& lease, const std::string& state,
                         const std::string& error_json) {
  Transaction transaction(*database_, TransactionKind::kWrite);
  if (!change(lease, "worker = worker")) return false;
  end(number_of(lease.job_id), state, error_json);
  transaction.commit();
  return true;
}

bool SqlJobStore::give_back(const Lease& lease) {
  return change(lease,
                "state = 'queued', worker = '', lease_until_ms = 0, attempts = attempts - 1");
}

int64_t SqlJobStore::version() {
  return database_->version(Topic::kJobs);
}

bool SqlJobStore::wait_for_change(int64_t timeout_ms) {
  return database_->wait(Topic::kJobs, timeout_ms);
}

std::vector<JobEvent> SqlJobStore::events_after(const std::string& job_id, int64_t sequence) {
  std::vector<JobEvent> events;
  Statement rows(*database_,
                 "SELECT sequence, kind, data_json FROM job_events WHERE job = ? AND sequence > ? "
                 "ORDER BY sequence",
                 number_of(job_id), sequence);
  while (rows.step()) events.push_back({rows.integer(0), rows.text(1), rows.text(2)});
  return events;
}

std::map<std::string, int64_t> SqlJobStore::jobs_with_events_after(int64_t sequence) {
  std::map<std::string, int64_t> jobs;
  Statement rows(*database_,
                 "SELECT job, max(sequence) FROM job_events WHERE sequence > ? GROUP BY job",
                 sequence);
  while (rows.step()) jobs[prefixed("j", rows.integer(0))] = rows.integer(1);
  return jobs;
}

std::unique_ptr<JobStore> make_job_store(std::unique_ptr<Database> database) {
  return std::make_unique<SqlJobStore>(std::move(database));
}

}  // namespace prismvid::store

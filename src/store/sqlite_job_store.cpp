#include "store/sqlite_job_store.h"

#include <chrono>

#include "core/error.h"
#include "store/sqlite_store_impl.h"

namespace prismvid::store {
namespace {

constexpr int kBusyTimeoutMs = 20'000;
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

/// Leases are compared between processes of several machines at most, so by the wall clock.
int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

SqliteJobStore::SqliteJobStore(const std::filesystem::path& file)
    : database_(file, kBusyTimeoutMs) {
  // What was accepted must also outlive a power cut.
  database_.execute("PRAGMA synchronous = FULL");
  database_.execute("PRAGMA foreign_keys = ON");
}

JobStore::Added SqliteJobStore::add(const NewJob& job) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!job.idempotency_key.empty()) {
    Statement row(database_, std::string(kColumns) + "WHERE owner = ? AND idempotency_key = ?",
                  job.owner, job.idempotency_key);
    if (row.step()) return {read_job(row), false};
  }
  const std::optional<std::string> key =
      job.idempotency_key.empty() ? std::nullopt : std::optional(job.idempotency_key);
  Statement(database_,
            std::string("INSERT INTO jobs (state, priority, owner, idempotency_key, request_json, "
                        "source, profile, video_id, created_at) "
                        "VALUES ('queued', ?, ?, ?, ?, ?, ?, ?, ") +
                kNow + ")",
            job.priority, job.owner, key, job.request_json, job.source, job.profile, job.video_id)
      .run();
  const int64_t number = database_.last_id();
  if (!job.webhook_url.empty())
    Statement(database_, "INSERT INTO webhooks (job, url, secret, state) VALUES (?, ?, ?, 'waiting')",
              number, job.webhook_url, job.webhook_secret)
        .run();
  Added added;
  {
    Statement row(database_, std::string(kColumns) + "WHERE number = ?", number);
    row.step();
    added.job = read_job(row);
  }
  transaction.commit();
  return added;
}

std::optional<JobRecord> SqliteJobStore::find(const std::string& id) {
  Statement row(database_, std::string(kColumns) + "WHERE number = ?", number_of(id));
  if (!row.step()) return std::nullopt;
  return read_job(row);
}

std::vector<JobRecord> SqliteJobStore::list(const std::string& state, const std::string& before,
                                            int limit) {
  const int64_t last = before.empty() ? INT64_MAX : number_of(before);
  std::vector<JobRecord> jobs;
  Statement rows(database_,
                 std::string(kColumns) +
                     "WHERE number < ? AND (? = '' OR state = ?) ORDER BY number DESC LIMIT ?",
                 last, state, state, limit);
  while (rows.step()) jobs.push_back(read_job(rows));
  return jobs;
}

int64_t SqliteJobStore::ahead_of(const JobRecord& job) {
  if (job.state != "queued") return 0;
  Statement row(database_,
                "SELECT count(*) FROM jobs WHERE state = 'queued' AND "
                "(priority > ? OR (priority = ? AND number < ?))",
                job.priority, job.priority, number_of(job.id));
  row.step();
  return row.integer(0);
}

std::map<std::string, int64_t> SqliteJobStore::count_by_state() {
  std::map<std::string, int64_t> counts;
  Statement rows(database_, "SELECT state, count(*) FROM jobs GROUP BY state");
  while (rows.step()) counts[rows.text(0)] = rows.integer(1);
  return counts;
}

std::optional<JobRecord> SqliteJobStore::cancel(const std::string& id) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  auto job = find(id);
  if (!job) return std::nullopt;
  if (job->state == "queued") end(number_of(id), "cancelled", "null");
  if (job->state == "running")
    Statement(database_, "UPDATE jobs SET cancel = 1 WHERE number = ?", number_of(id)).run();
  job = find(id);
  transaction.commit();
  return job;
}

int64_t SqliteJobStore::forget_ended(int64_t seconds, int64_t keep) {
  constexpr char kEnded[] = "state NOT IN ('queued', 'running')";
  Transaction transaction(database_, Transaction::Kind::kWrite);
  Statement(database_,
            std::string("DELETE FROM jobs WHERE ") + kEnded +
                " AND (finished_at < strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?) "
                "OR number NOT IN (SELECT number FROM jobs WHERE " +
                kEnded +
                " ORDER BY number DESC LIMIT ?)) "
                "AND number NOT IN (SELECT job FROM webhooks WHERE state IN ('waiting', 'due'))",
            std::to_string(-seconds) + " seconds", keep)
      .run();
  const int64_t gone = database_.changes();
  transaction.commit();
  return gone;
}

std::optional<int64_t> SqliteJobStore::next_job(int64_t now) {
  // Work that was begun comes first: somebody waits for it already.
  Statement begun(database_,
                  "SELECT number FROM jobs WHERE state = 'running' AND lease_until_ms < ? "
                  "ORDER BY priority DESC, number LIMIT 1",
                  now);
  if (begun.step()) return begun.integer(0);
  Statement queued(database_,
                   "SELECT number FROM jobs WHERE state = 'queued' "
                   "ORDER BY priority DESC, number LIMIT 1");
  if (queued.step()) return queued.integer(0);
  return std::nullopt;
}

std::optional<Claim> SqliteJobStore::claim(const std::string& worker, int64_t lease_ms,
                                           int most_attempts) {
  // Looking first without the write lock: idle workers must not keep others from writing.
  if (!next_job(now_ms())) return std::nullopt;
  Transaction transaction(database_, Transaction::Kind::kWrite);
  while (const auto number = next_job(now_ms())) {
    const JobRecord known = *find(prefixed("j", *number));
    if (known.cancel || known.attempts >= most_attempts) {
      end(*number, known.cancel ? "cancelled" : "failed", known.cancel ? "null" : kDied);
      continue;
    }
    Statement(database_,
              std::string("UPDATE jobs SET state = 'running', worker = ?, lease_until_ms = ?, "
                          "attempts = attempts + 1, started_at = CASE started_at WHEN '' THEN ") +
                  kNow + " ELSE started_at END WHERE number = ?",
              worker, now_ms() + lease_ms, *number)
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

bool SqliteJobStore::holds(const Lease& lease) {
  Statement row(database_,
                "SELECT 1 FROM jobs WHERE number = ? AND worker = ? AND attempts = ? AND "
                "state = 'running'",
                number_of(lease.job_id), lease.worker, lease.attempt);
  return row.step();
}

JobStore::Held SqliteJobStore::renew(const Lease& lease, int64_t lease_ms) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return Held::kLost;
  Statement(database_, "UPDATE jobs SET lease_until_ms = ? WHERE number = ?", now_ms() + lease_ms,
            number_of(lease.job_id))
      .run();
  const bool cancelled = find(lease.job_id)->cancel;
  transaction.commit();
  return cancelled ? Held::kCancel : Held::kYes;
}

bool SqliteJobStore::set_video(const Lease& lease, const std::string& video_id) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return false;
  Statement(database_, "UPDATE jobs SET video_id = ? WHERE number = ?", video_id,
            number_of(lease.job_id))
      .run();
  transaction.commit();
  return true;
}

void SqliteJobStore::insert_event(int64_t job, const std::string& kind,
                                  const std::string& data_json) {
  Statement(database_, "INSERT INTO job_events (job, kind, data_json) VALUES (?, ?, ?)", job, kind,
            data_json)
      .run();
}

bool SqliteJobStore::report(const Lease& lease, const std::string& progress_json) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return false;
  const int64_t job = number_of(lease.job_id);
  Statement(database_, "UPDATE jobs SET progress_json = ? WHERE number = ?", progress_json, job)
      .run();
  Statement(database_, "DELETE FROM job_events WHERE job = ? AND kind = 'progress'", job).run();
  insert_event(job, "progress", progress_json);
  transaction.commit();
  return true;
}

bool SqliteJobStore::add_event(const Lease& lease, const std::string& kind,
                               const std::string& data_json) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return false;
  insert_event(number_of(lease.job_id), kind, data_json);
  transaction.commit();
  return true;
}

void SqliteJobStore::end(int64_t job, const std::string& state, const std::string& error_json) {
  Statement(database_,
            std::string("UPDATE jobs SET state = ?, error_json = ?, worker = '', "
                        "lease_until_ms = 0, finished_at = ") +
                kNow + " WHERE number = ?",
            state, error_json, job)
      .run();
  if (error_json != "null") insert_event(job, "error", error_json);
  insert_event(job, "done", "{\"state\":\"" + state + "\"}");
  Statement(database_, "UPDATE webhooks SET state = 'due' WHERE job = ? AND state = 'waiting'", job)
      .run();
}

bool SqliteJobStore::finish(const Lease& lease, const std::string& state,
                            const std::string& error_json) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return false;
  end(number_of(lease.job_id), state, error_json);
  transaction.commit();
  return true;
}

bool SqliteJobStore::give_back(const Lease& lease) {
  Transaction transaction(database_, Transaction::Kind::kWrite);
  if (!holds(lease)) return false;
  Statement(database_,
            "UPDATE jobs SET state = 'queued', worker = '', lease_until_ms = 0, "
            "attempts = attempts - 1 WHERE number = ?",
            number_of(lease.job_id))
      .run();
  transaction.commit();
  return true;
}

int64_t SqliteJobStore::version() {
  return database_.integer("PRAGMA data_version");
}

std::vector<JobEvent> SqliteJobStore::events_after(const std::string& job_id, int64_t sequence) {
  std::vector<JobEvent> events;
  Statement rows(database_,
                 "SELECT sequence, kind, data_json FROM job_events WHERE job = ? AND sequence > ? "
                 "ORDER BY sequence",
                 number_of(job_id), sequence);
  while (rows.step()) events.push_back({rows.integer(0), rows.text(1), rows.text(2)});
  return events;
}

std::map<std::string, int64_t> SqliteJobStore::jobs_with_events_after(int64_t sequence) {
  std::map<std::string, int64_t> jobs;
  Statement rows(database_,
                 "SELECT job, max(sequence) FROM job_events WHERE sequence > ? GROUP BY job",
                 sequence);
  while (rows.step()) jobs[prefixed("j", rows.integer(0))] = rows.integer(1);
  return jobs;
}

std::unique_ptr<JobStore> open_sqlite_job_store(const std::filesystem::path& file) {
  return std::make_unique<SqliteJobStore>(file);
}

}  // namespace prismvid::store

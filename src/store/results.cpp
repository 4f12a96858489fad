#include "core/error.h"
#include "store/sql_store.h"

// Videos, stage results, documents and runs.
namespace prismvid::store {

namespace {

constexpr int64_t kWeekSeconds = 7 * 24 * 3600;

constexpr char kVideoColumns[] =
    "SELECT id, sha256, path, bytes, probe_json, added_at FROM videos ";

VideoRecord read_video(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.integer(3), row.text(4), row.text(5)};
}

std::optional<VideoRecord> first_video(Statement& rows) {
  if (!rows.step()) return std::nullopt;
  return read_video(rows);
}

constexpr char kDocumentColumns[] =
    "SELECT analysis_id, video_id, status, json, created_at FROM documents ";

std::optional<DocumentRecord> first_document(Statement& rows) {
  if (!rows.step()) return std::nullopt;
  return DocumentRecord{rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4)};
}

}  // namespace

std::optional<std::string> SqlStore::known_hash(const FileIdentity& file) {
  Statement row(
      database_,
      "SELECT sha256 FROM files WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?",
      file.path, file.size, file.mtime_ns, static_cast<int64_t>(file.inode));
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

void SqlStore::remember_file(const FileIdentity& file, const std::string& sha256) {
  Statement(database_,
            "INSERT INTO files (path, size, mtime_ns, inode, sha256) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (path) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, "
            "inode = excluded.inode, sha256 = excluded.sha256",
            file.path, file.size, file.mtime_ns, static_cast<int64_t>(file.inode), sha256)
      .run();
}

VideoRecord SqlStore::put_video(const VideoRecord& video) {
  Transaction transaction(database_, TransactionKind::kWrite);
  Statement(database_,
            "INSERT INTO videos (id, sha256, path, bytes, probe_json, added_at) "
            "VALUES (?, ?, ?, ?, ?, time_text(0)) ON CONFLICT (sha256) DO UPDATE SET "
            "path = excluded.path, bytes = excluded.bytes, probe_json = excluded.probe_json",
            video.id, video.sha256, video.path, video.bytes, video.probe_json)
      .run();
  Statement row(database_, std::string(kVideoColumns) + "WHERE sha256 = ?", video.sha256);
  auto stored = first_video(row);
  transaction.commit();
  return *stored;
}

std::optional<VideoRecord> SqlStore::find_video(const std::string& id_or_sha256) {
  Statement rows(database_, std::string(kVideoColumns) + "WHERE id = ? OR sha256 = ?", id_or_sha256,
                 id_or_sha256);
  return first_video(rows);
}

std::optional<VideoRecord> SqlStore::find_video_at(const std::string& path) {
  Statement rows(database_, std::string(kVideoColumns) + "WHERE path = ? ORDER BY rowid DESC",
                 path);
  return first_video(rows);
}

std::vector<VideoRecord> SqlStore::videos() {
  std::vector<VideoRecord> all;
  Statement rows(database_, std::string(kVideoColumns) + "ORDER BY rowid DESC");
  while (rows.step()) all.push_back(read_video(rows));
  return all;
}

std::optional<StageRecord> SqlStore::find_stage(const std::string& cache_key) {
  Statement row(database_,
                "SELECT cache_key, video_id, stage, version, model_id, backend, wall_ms, frames, "
                "extra_json, finished_at FROM stages WHERE cache_key = ?",
                cache_key);
  if (!row.step()) return std::nullopt;
  return StageRecord{row.text(0), row.text(1),    row.text(2),    row.text(3), row.text(4),
                     row.text(5), row.integer(6), row.integer(7), row.text(8), row.text(9)};
}

std::optional<StageOutput> SqlStore::load_stage(const std::string& cache_key) {
  Transaction snapshot(database_, TransactionKind::kRead);
  auto json = load_stage_json(cache_key);
  if (!json) return std::nullopt;
  StageOutput output{std::move(*json), {}};
  Statement rows(database_, "SELECT name, bytes FROM blobs WHERE cache_key = ?", cache_key);
  while (rows.step()) output.blobs.push_back({rows.text(0), rows.bytes(1)});
  return output;
}

std::optional<std::string> SqlStore::load_stage_json(const std::string& cache_key) {
  Statement row(database_, "SELECT output_json FROM stages WHERE cache_key = ?", cache_key);
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

std::optional<std::vector<uint8_t>> SqlStore::load_blob(const std::string& cache_key,
                                                        const std::string& name) {
  Statement row(database_, "SELECT bytes FROM blobs WHERE cache_key = ? AND name = ?", cache_key,
                name);
  if (!row.step()) return std::nullopt;
  return row.bytes(0);
}

std::vector<std::string> SqlStore::blob_names(const std::string& cache_key) {
  std::vector<std::string> names;
  Statement rows(database_, "SELECT name FROM blobs WHERE cache_key = ?", cache_key);
  while (rows.step()) names.push_back(rows.text(0));
  return names;
}

void SqlStore::put_stage(const StageRecord& stage, const StageOutput& output) {
  check(find_video(stage.video_id).has_value(), ErrorCode::kInternal, "stage '", stage.stage,
        "' of a video that is not stored: ", stage.video_id);
  Transaction transaction(database_, TransactionKind::kWrite);
  // Not REPLACE: that would delete the row and with it the faces that people have assigned.
  Statement(database_,
            "INSERT INTO stages (cache_key, video_id, stage, version, model_id, backend, "
            "wall_ms, frames, extra_json, finished_at, output_json) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, time_text(0), ?) "
            "ON CONFLICT (cache_key) DO UPDATE SET wall_ms = excluded.wall_ms, "
            "frames = excluded.frames, extra_json = excluded.extra_json, "
            "finished_at = excluded.finished_at, output_json = excluded.output_json",
            stage.cache_key, stage.video_id, stage.stage, stage.version, stage.model_id,
            stage.backend, stage.wall_ms, stage.frames, stage.extra_json, output.json)
      .run();
  Statement(database_, "DELETE FROM blobs WHERE cache_key = ?", stage.cache_key).run();
  Statement(database_,
            "INSERT INTO blobs (cache_key, name, bytes) "
            "SELECT cache_key, name, bytes FROM early_blobs WHERE cache_key = ?",
            stage.cache_key)
      .run();
  Statement(database_, "DELETE FROM early_blobs WHERE cache_key = ?", stage.cache_key).run();
  for (const Blob& blob : output.blobs) {
    Statement(database_,
              "INSERT INTO blobs (cache_key, name, bytes) VALUES (?, ?, ?) "
              "ON CONFLICT (cache_key, name) DO UPDATE SET bytes = excluded.bytes",
              stage.cache_key, blob.name, blob.bytes)
        .run();
  }
  transaction.commit();
}

void SqlStore::put_early_blob(const std::string& video_id, const std::string& cache_key, const Blob& blob) {
  Transaction transaction(database_, TransactionKind::kWrite);
  Statement(database_,
            "INSERT INTO early_blobs (video_id, cache_key, name, bytes, at) VALUES (?, ?, ?, ?, time_text(0)) "
            "ON CONFLICT (cache_key, name) DO UPDATE SET video_id = excluded.video_id, bytes = excluded.bytes, at = excluded.at",
            video_id, cache_key, blob.name, blob.bytes)
      .run();
  transaction.commit();
}

void SqlStore::discard_early_blobs(const std::string& cache_key) {
  Transaction transaction(database_, TransactionKind::kWrite);
  Statement(database_, "DELETE FROM early_blobs WHERE cache_key = ? OR at < time_text(?)", cache_key, -kWeekSeconds).run();
  transaction.commit();
}

void SqlStore::put_document(const DocumentRecord& document) {
  Transaction transaction(database_, TransactionKind::kWrite);
  // A new row has a new sequence number: the document put last is the latest.
  Statement(database_, "DELETE FROM documents WHERE analysis_id = ?", document.analysis_id).run();
  Statement(database_,
            "INSERT INTO documents (analysis_id, video_id, status, json, created_at) "
            "VALUES (?, ?, ?, ?, time_text(0))",
            document.analysis_id, document.video_id, document.status, document.json)
      .run();
  transaction.commit();
}

std::optional<DocumentRecord> SqlStore::latest_document(const std::string& video_id) {
  Statement rows(
      database_,
      std::string(kDocumentColumns) + "WHERE video_id = ? ORDER BY sequence DESC LIMIT 1",
      video_id);
  return first_document(rows);
}

std::optional<DocumentRecord> SqlStore::find_document(const std::string& analysis_id) {
  Statement rows(database_, std::string(kDocumentColumns) + "WHERE analysis_id = ?", analysis_id);
  return first_document(rows);
}

void SqlStore::start_run(const RunRecord& run) {
  Statement(database_,
            "INSERT INTO runs (id, video_id, status, request_json, error, started_at, finished_at) "
            "VALUES (?, ?, 'running', ?, '', time_text(0), '')",
            run.id, run.video_id, run.request_json)
      .run();
}

void SqlStore::finish_run(const std::string& run_id, const std::string& status,
                          const std::string& error) {
  Statement(database_,
            "UPDATE runs SET status = ?, error = ?, finished_at = time_text(0) WHERE id = ?",
            status, error, run_id)
      .run();
  check(database_.changes() == 1, ErrorCode::kNotFound, "there is no run '", run_id, "'");
}

std::vector<RunRecord> SqlStore::runs(const std::string& video_id) {
  std::vector<RunRecord> all;
  Statement rows(database_,
                 "SELECT id, video_id, status, request_json, error, started_at, finished_at "
                 "FROM runs WHERE video_id = ? ORDER BY sequence DESC",
                 video_id);
  while (rows.step()) {
    all.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                   rows.text(5), rows.text(6)});
  }
  return all;
}

}  // namespace prismvid::store

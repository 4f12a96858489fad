#include "store/migrations.h"

#include "store/postgres_schema.h"

namespace prismvid::store {

namespace {

constexpr char kResults[] = R"sql(
CREATE TABLE videos (
  id TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL UNIQUE,
  path TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  probe_json TEXT NOT NULL,
  added_at TEXT NOT NULL);
CREATE INDEX videos_by_path ON videos (path);

CREATE TABLE files (
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  sha256 TEXT NOT NULL);

CREATE TABLE stages (
  cache_key TEXT PRIMARY KEY,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  stage TEXT NOT NULL,
  version TEXT NOT NULL,
  model_id TEXT NOT NULL,
  backend TEXT NOT NULL,
  wall_ms INTEGER NOT NULL,
  frames INTEGER NOT NULL,
  extra_json TEXT NOT NULL,
  finished_at TEXT NOT NULL,
  output_json TEXT NOT NULL);
CREATE INDEX stages_by_video ON stages (video_id, stage);

CREATE TABLE blobs (
  cache_key TEXT NOT NULL REFERENCES stages (cache_key) ON DELETE CASCADE,
  name TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (cache_key, name));

CREATE TABLE early_blobs (
  cache_key TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes BLOB NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (cache_key, name));

CREATE TABLE documents (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  analysis_id TEXT NOT NULL UNIQUE,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  json TEXT NOT NULL,
  created_at TEXT NOT NULL);
CREATE INDEX documents_by_video ON documents (video_id, sequence);

CREATE TABLE runs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  request_json TEXT NOT NULL,
  error TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT NOT NULL);
CREATE INDEX runs_by_video ON runs (video_id, sequence);
)sql";

constexpr char kPeople[] = R"sql(
CREATE TABLE people (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  hidden INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  merged_into INTEGER REFERENCES people (number) ON DELETE CASCADE);
CREATE INDEX people_by_name ON people (name);
CREATE INDEX people_merged ON people (merged_into);

-- The vector and the thumbnail of a track are blobs of its stage: there is no second copy to forget.
CREATE TABLE faces (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  cache_key TEXT NOT NULL REFERENCES stages (cache_key) ON DELETE CASCADE,
  track INTEGER NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  quality REAL NOT NULL,
  space TEXT NOT NULL,
  best_us INTEGER NOT NULL,
  x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL,
  person INTEGER REFERENCES people (number) ON DELETE SET NULL,
  by_human INTEGER NOT NULL DEFAULT 0,
  current INTEGER NOT NULL DEFAULT 1,
  UNIQUE (cache_key, track));
CREATE INDEX faces_by_video ON faces (video_id, current);
CREATE INDEX faces_by_person ON faces (person);
CREATE INDEX faces_by_space ON faces (space, current);

CREATE TABLE negatives (
  id INTEGER PRIMARY KEY,
  person INTEGER NOT NULL REFERENCES people (number) ON DELETE CASCADE,
  edit INTEGER NOT NULL,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  space TEXT NOT NULL,
  vector BLOB NOT NULL,
  best_us INTEGER NOT NULL,
  x0 REAL NOT NULL, y0 REAL NOT NULL, x1 REAL NOT NULL, y1 REAL NOT NULL);
CREATE INDEX negatives_by_person ON negatives (person);
CREATE INDEX negatives_by_video ON negatives (video_id);

-- before_json holds what undo() needs.
CREATE TABLE edits (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  video_id TEXT REFERENCES videos (id) ON DELETE CASCADE,
  op TEXT NOT NULL,
  target TEXT NOT NULL,
  value_json TEXT NOT NULL,
  before_json TEXT NOT NULL,
  "user" TEXT NOT NULL,
  at TEXT NOT NULL,
  undone_at TEXT NOT NULL DEFAULT '');
CREATE INDEX edits_by_video ON edits (video_id);
)sql";

// What a service keeps: work to do and what was told of it, who may ask, files on their way in.
constexpr char kService[] = R"sql(
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  owner TEXT NOT NULL,
  idempotency_key TEXT,
  request_json TEXT NOT NULL,
  source TEXT NOT NULL,
  profile TEXT NOT NULL,
  video_id TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL,
  started_at TEXT NOT NULL DEFAULT '',
  finished_at TEXT NOT NULL DEFAULT '',
  attempts INTEGER NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  cancel INTEGER NOT NULL DEFAULT 0,
  progress_json TEXT NOT NULL DEFAULT '{}',
  error_json TEXT NOT NULL DEFAULT 'null',
  UNIQUE (owner, idempotency_key));
CREATE INDEX jobs_by_state ON jobs (state, priority DESC, number);

-- The sequence counts over all jobs, so that a reader needs to look behind one number only.
CREATE TABLE job_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  data_json TEXT NOT NULL);
CREATE INDEX job_events_by_job ON job_events (job, sequence);

CREATE TABLE webhooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES jobs (number) ON DELETE CASCADE,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  body TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at_ms INTEGER NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT '');
CREATE INDEX webhooks_by_state ON webhooks (state, next_at_ms);
CREATE INDEX webhooks_by_job ON webhooks (job);

CREATE TABLE api_keys (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scope TEXT NOT NULL,
  created_at TEXT NOT NULL,
  last_used_at TEXT NOT NULL DEFAULT '',
  revoked_at TEXT NOT NULL DEFAULT '');

CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  received INTEGER NOT NULL DEFAULT 0,
  path TEXT NOT NULL,
  created_at TEXT NOT NULL,
  touched_at_ms INTEGER NOT NULL,
  used INTEGER NOT NULL DEFAULT 0);
)sql";

constexpr char kSearch[] = R"sql(
CREATE TABLE moments (
  id INTEGER PRIMARY KEY,
  video_id TEXT NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  of_id TEXT NOT NULL,
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  text TEXT NOT NULL,
  terms TEXT NOT NULL,
  keyframe TEXT NOT NULL);
CREATE INDEX moments_by_video ON moments (video_id, kind);
CREATE INDEX moments_by_terms ON moments (terms) WHERE kind IN ('label', 'object', 'place');

CREATE TABLE indexed_documents (
  video_id TEXT PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE,
  document INTEGER NOT NULL);
)sql";

// Deleted rows take their words out of the full-text index, also where a video's deletion took
// them. A document changed in place (a person forgotten) leaves nothing searchable behind.
constexpr char kSearchSqlite[] = R"sql(
CREATE VIRTUAL TABLE moments_text USING fts5 (
  terms, content = 'moments', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 0");
CREATE TRIGGER moments_added AFTER INSERT ON moments BEGIN
  INSERT INTO moments_text (rowid, terms) VALUES (new.id, new.terms);
END;
CREATE TRIGGER moments_deleted AFTER DELETE ON moments BEGIN
  INSERT INTO moments_text (moments_text, rowid, terms) VALUES ('delete', old.id, old.terms);
END;

CREATE TRIGGER documents_changed AFTER UPDATE OF json ON documents BEGIN
  DELETE FROM moments WHERE video_id = new.video_id;
  DELETE FROM indexed_documents WHERE video_id = new.video_id;
END;
CREATE TRIGGER edits_added AFTER INSERT ON edits BEGIN
  DELETE FROM indexed_documents WHERE video_id = new.video_id;
END;
CREATE TRIGGER edits_undone AFTER UPDATE OF undone_at ON edits BEGIN
  DELETE FROM indexed_documents WHERE video_id = new.video_id;
END;
)sql";

// The id counts up for ever, so that a reader needs to look behind one number only.
constexpr char kVectors[] = R"sql(
CREATE TABLE moment_vectors (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  moment INTEGER NOT NULL REFERENCES moments (id) ON DELETE CASCADE,
  space TEXT NOT NULL,
  vector BLOB NOT NULL);
CREATE UNIQUE INDEX moment_vectors_by_moment ON moment_vectors (moment, space);
)sql";

// What a run has kept early goes with its video, also where the run was killed.
constexpr char kEarlyBlobsOfVideos[] = R"sql(
ALTER TABLE early_blobs ADD COLUMN video_id TEXT REFERENCES videos (id) ON DELETE CASCADE;
CREATE INDEX early_blobs_by_video ON early_blobs (video_id);
)sql";

constexpr Migration kMigrations[] = {
    {kResults, "", kPostgresResults},
    {kPeople, "", kPostgresPeople},
    {kService, "", kPostgresService},
    {kSearch, kSearchSqlite, kPostgresSearch},
    {kVectors, "", ""},
    {kEarlyBlobsOfVideos, "", ""},
};

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

}  // namespace prismvid::store

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media_time.h"
#include "core/results.h"
#include "core/stage_output.h"
#include "store/search_index.h"

namespace prismvid::store {

/// What tells whether a file is the one hashed before, without reading it.
struct FileIdentity {
  std::string path;  // absolute
  int64_t size = 0;
  int64_t mtime_ns = 0;
  uint64_t inode = 0;
};

/// A video is its content: the same bytes under another name are the same video.
struct VideoRecord {
  std::string id;  // "v_..."
  std::string sha256;
  std::string path;  // where it was last seen
  int64_t bytes = 0;
  std::string probe_json;
  std::string added_at;  // RFC 3339, set by the store
};

/// A finished stage: what produced it and how long it took.
struct StageRecord {
  std::string cache_key;
  std::string video_id;
  std::string stage;
  std::string version;
  std::string model_id;
  std::string backend;
  int64_t wall_ms = 0;
  int64_t frames = 0;
  std::string extra_json;   // whatever else the caller wants back, for example ms per frame
  std::string finished_at;  // RFC 3339, set by the store
};

struct DocumentRecord {
  std::string analysis_id;
  std::string video_id;
  std::string status;  // complete, partial, failed
  std::string json;
  std::string created_at;  // RFC 3339, set by the store
};

/// One run of `analyze`, for history and estimates.
struct RunRecord {
  std::string id;
  std::string video_id;
  std::string status = "running";  // running, complete, partial, failed, cancelled
  std::string request_json;
  std::string error;
  std::string started_at;   // RFC 3339, set by the store
  std::string finished_at;  // RFC 3339, set by the store
};

enum class AssignedBy { kAuto, kHuman };

struct PersonRecord {
  std::string id;    // "p_...", never used twice
  std::string name;  // empty: not named
  bool hidden = false;
  std::string created_at;  // RFC 3339
  int64_t face_tracks = 0;
  int64_t videos = 0;
  int64_t seen_us = 0;  // sum of its tracks
};

/// A face track of a video as the library knows it.
struct FaceRecord {
  int64_t id = 0;
  std::string video_id;
  std::string cache_key;  // of the faces stage it is from
  int track = 0;          // index in that stage's output
  TimeRange range;
  float quality = 0;
  std::string space;          // model of the vector; vectors of two spaces are never compared
  std::vector<float> vector;  // empty where no face was good enough
  std::string person_id;      // empty: not assigned
  AssignedBy by = AssignedBy::kAuto;
};

/// "Not this person": a track like `vector` must never be given to `person_id`.
struct NegativeRecord {
  std::string person_id;
  std::vector<float> vector;
};

/// An automatic decision about one face: a known person, a new one, or (neither) nobody.
struct Assignment {
  int64_t face_id = 0;
  std::string person_id;
  std::optional<int> new_person;  // faces with the same number here become one new person
};

/// One decision of a person, kept apart from what the machine found.
struct EditRecord {
  std::string id;        // "e_..."
  std::string video_id;  // empty where it concerns the whole library
  std::string op;        // as in the schema: name_person, merge_person, ...
  std::string target;
  std::string value_json = "null";
  std::string user = "local";
  std::string at;         // RFC 3339, set by the store
  std::string undone_at;  // empty: in force
};

/// What a deletion took away, to be told to the user.
struct Removed {
  int64_t documents = 0;
  int64_t stages = 0;
  int64_t pictures = 0;
  int64_t face_tracks = 0;
  int64_t vectors = 0;
  int64_t people = 0;
  int64_t edits = 0;
  /// False when another process kept old pages from being wiped at once; they go when it closes.
  bool wiped = true;
};

/// Gets a stored document's JSON and gives back the one without the person.
using DocumentRewriter = std::function<std::string(const std::string& json)>;

/// Where results live. Every call is one transaction: after a crash it has happened wholly or not
/// at all. Failures of the storage throw Error(kStore); several processes may use one store. One
/// object serves one thread at a time.
class Store : public SearchIndex {
 public:
  // --- videos
  /// Hash of a file last seen with exactly this identity.
  virtual std::optional<std::string> known_hash(const FileIdentity& file) = 0;
  virtual void remember_file(const FileIdentity& file, const std::string& sha256) = 0;
  /// Adds the video or updates path and probe of the one with this hash; gives back the stored
  /// record.
  virtual VideoRecord put_video(const VideoRecord& video) = 0;
  virtual std::optional<VideoRecord> find_video(const std::string& id_or_sha256) = 0;
  virtual std::optional<VideoRecord> find_video_at(const std::string& path) = 0;
  virtual std::vector<VideoRecord> videos() = 0;  // newest first
  /// Everything about the video, faces and vectors too; people keep their other videos, unnamed
  /// ones without any go.
  virtual Removed delete_video(const std::string& video_id) = 0;

  // --- stage results
  virtual std::optional<StageRecord> find_stage(const std::string& cache_key) = 0;
  /// Result with all blobs, or nullopt.
  virtual std::optional<StageOutput> load_stage(const std::string& cache_key) = 0;
  /// Result without blobs, or nullopt.
  virtual std::optional<std::string> load_stage_json(const std::string& cache_key) = 0;
  virtual std::optional<std::vector<uint8_t>> load_blob(const std::string& cache_key,
                                                        const std::string& name) = 0;
  /// Names of a result's blobs, which need not be read for that.
  virtual std::vector<std::string> blob_names(const std::string& cache_key) = 0;
  /// Replaces what is stored under that key. The video must be there.
  virtual void put_stage(const StageRecord& stage, const StageOutput& output) = 0;
  /// Keeps a blob of the video ahead of its stage, so that pictures need not wait in memory. Not seen by
  /// load_*() until put_stage(cache_key), which takes it in; goes with the video.
  virtual void put_early_blob(const std::string& video_id, const std::string& cache_key, const Blob& blob) = 0;
  /// Drops those of a run that did not come to put_stage(), and what any run left a week ago.
  virtual void discard_early_blobs(const std::string& cache_key) = 0;

  // --- documents and runs
  virtual void put_document(const DocumentRecord& document) = 0;
  virtual std::optional<DocumentRecord> latest_document(const std::string& video_id) = 0;
  virtual std::optional<DocumentRecord> find_document(const std::string& analysis_id) = 0;
  virtual void start_run(const RunRecord& run) = 0;
  virtual void finish_run(const std::string& run_id, const std::string& status,
                          const std::string& error) = 0;
  virtual std::vector<RunRecord> runs(const std::string& video_id) = 0;  // newest first

  // --- faces and people
  /// Makes the tracks of a stored faces stage the video's current ones. What people decided, and
  /// everyone with a name, carries over from the former run to the track at the same place at the
  /// same time; with the same cache key everything stays.
  virtual std::vector<FaceRecord> put_faces(const std::string& video_id,
                                            const std::string& cache_key, const std::string& space,
                                            std::span<const FaceTrack> tracks) = 0;
  virtual std::vector<FaceRecord> faces_of_video(const std::string& video_id) = 0;  // current
  virtual std::vector<FaceRecord> faces_of_person(const std::string& person_id) = 0;
  /// Current tracks with vectors of one space, all videos, assigned or not: what identities are
  /// matched against.
  virtual std::vector<FaceRecord> faces_in_space(const std::string& space) = 0;
  virtual std::vector<NegativeRecord> negatives(const std::string& space) = 0;
  /// A person without faces, to be given some by hand. Unnamed, it goes with the next
  /// assign_faces().
  virtual std::string create_person(const std::string& name = "") = 0;
  /// Makes new people and assigns; faces that people have decided on are left alone. Unnamed people
  /// left without any face are removed. Gives back the person of each assignment, "" for nobody.
  virtual std::vector<std::string> assign_faces(std::span<const Assignment> assignments) = 0;
  virtual std::vector<PersonRecord> people() = 0;  // named first, then by time seen
  /// By id (also one merged away, which answers with the person it went into) or by exact name.
  virtual std::optional<PersonRecord> find_person(const std::string& id_or_name) = 0;
  /// Thumbnail of the person's best track, nullopt without one.
  virtual std::optional<std::vector<uint8_t>> person_picture(const std::string& person_id) = 0;

  // Decisions of people. Each gives back the id of an edit that undo() takes back.
  // All throw Error(kNotFound) for an unknown person, face or edit.
  virtual std::string name_person(const std::string& person_id, const std::string& name) = 0;
  virtual std::string hide_person(const std::string& person_id, bool hidden) = 0;
  /// `from` becomes part of `into`; its id keeps working.
  virtual std::string merge_people(const std::string& into, const std::string& from) = 0;
  struct Split {
    std::string edit_id;
    std::string person_id;  // the new one
  };
  virtual Split split_person(const std::string& person_id, std::span<const int64_t> face_ids) = 0;
  /// These tracks are not that person, nor will tracks like them be.
  virtual std::string not_person(const std::string& person_id,
                                 std::span<const int64_t> face_ids) = 0;
  /// Deletes the person, its tracks, vectors, thumbnails and edits, in all stored results, and
  /// wipes the bytes. `rewrite` is called for each stored document that names the person. Cannot be
  /// undone.
  virtual Removed forget_person(const std::string& person_id, const DocumentRewriter& rewrite) = 0;
  /// The same of all people, and of whatever else faces have left: tracks of nobody, results of the
  /// faces stage, decisions about people. `rewrite` is called for every stored document.
  virtual Removed forget_everybody(const DocumentRewriter& rewrite) = 0;

  // --- edits
  virtual std::string add_edit(const EditRecord& edit) = 0;
  /// Those in force for a video or, with "", for the library, oldest first.
  virtual std::vector<EditRecord> edits(const std::string& video_id) = 0;
  virtual void undo(const std::string& edit_id) = 0;
};

}  // namespace prismvid::store

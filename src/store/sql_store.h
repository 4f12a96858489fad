#pragma once

#include <nlohmann/json_fwd.hpp>

#include "store/database.h"
#include "store/job_store.h"
#include "store/library_view.h"
#include "store/service_store.h"
#include "store/store.h"

namespace prismvid::store {

/// The Store in a database of either dialect: videos and stages in results.cpp, faces in faces.cpp,
/// people and their edits in people.cpp, edits.cpp and forget.cpp, search in search.cpp. The tables
/// are in schema.cpp.
class SqlStore final : public Store {
 public:
  explicit SqlStore(std::unique_ptr<Database> database);

  std::optional<std::string> known_hash(const FileIdentity& file) override;
  void remember_file(const FileIdentity& file, const std::string& sha256) override;
  VideoRecord put_video(const VideoRecord& video) override;
  std::optional<VideoRecord> find_video(const std::string& id_or_sha256) override;
  std::optional<VideoRecord> find_video_at(const std::string& path) override;
  std::vector<VideoRecord> videos() override;
  Removed delete_video(const std::string& video_id) override;

  std::optional<StageRecord> find_stage(const std::string& cache_key) override;
  std::optional<StageOutput> load_stage(const std::string& cache_key) override;
  std::optional<std::string> load_stage_json(const std::string& cache_key) override;
  std::optional<std::vector<uint8_t>> load_blob(const std::string& cache_key,
                                                const std::string& name) override;
  std::vector<std::string> blob_names(const std::string& cache_key) override;
  void put_stage(const StageRecord& stage, const StageOutput& output) override;
  void put_early_blob(const std::string& video_id, const std::string& cache_key, const Blob& blob) override;
  void discard_early_blobs(const std::string& cache_key) override;

  void put_document(const DocumentRecord& document) override;
  std::optional<DocumentRecord> latest_document(const std::string& video_id) override;
  std::optional<DocumentRecord> find_document(const std::string& analysis_id) override;
  void start_run(const RunRecord& run) override;
  void finish_run(const std::string& run_id, const std::string& status,
                  const std::string& error) override;
  std::vector<RunRecord> runs(const std::string& video_id) override;

  std::vector<FaceRecord> put_faces(const std::string& video_id, const std::string& cache_key,
                                    const std::string& space,
                                    std::span<const FaceTrack> tracks) override;
  std::vector<FaceRecord> faces_of_video(const std::string& video_id) override;
  std::vector<FaceRecord> faces_of_person(const std::string& person_id) override;
  std::vector<FaceRecord> faces_in_space(const std::string& space) override;
  std::vector<NegativeRecord> negatives(const std::string& space) override;
  std::string create_person(const std::string& name) override;
  std::vector<std::string> assign_faces(std::span<const Assignment> assignments) override;
  std::vector<PersonRecord> people() override;
  std::optional<PersonRecord> find_person(const std::string& id_or_name) override;
  std::optional<std::vector<uint8_t>> person_picture(const std::string& person_id) override;

  std::string name_person(const std::string& person_id, const std::string& name) override;
  std::string hide_person(const std::string& person_id, bool hidden) override;
  std::string merge_people(const std::string& into, const std::string& from) override;
  Split split_person(const std::string& person_id, std::span<const int64_t> face_ids) override;
  std::string not_person(const std::string& person_id, std::span<const int64_t> face_ids) override;
  Removed forget_person(const std::string& person_id, const DocumentRewriter& rewrite) override;
  Removed forget_everybody(const DocumentRewriter& rewrite) override;

  std::string add_edit(const EditRecord& edit) override;
  std::vector<EditRecord> edits(const std::string& video_id) override;
  void undo(const std::string& edit_id) override;

  std::vector<UnindexedVideo> unindexed_videos() override;
  void put_moments(const UnindexedVideo& video, std::span<const MomentRecord> moments) override;
  std::vector<FoundMoment> match_phrases(std::span<const std::vector<std::string>> phrases,
                                         const MomentFilter& filter, size_t most) override;
  std::vector<FoundMoment> match_people(std::span<const std::string> person_ids,
                                        const MomentFilter& filter, size_t most) override;
  std::vector<FoundMoment> match_labels(std::span<const std::string> terms,
                                        const MomentFilter& filter, size_t most) override;
  std::vector<UnembeddedMoment> unembedded_moments(const std::string& space, size_t most) override;
  void put_vectors(const std::string& space, std::span<const MomentVector> vectors) override;
  int64_t count_vectors(const std::string& space) override;
  VectorRows vectors_after(const std::string& space, int64_t id) override;
  std::vector<FoundMoment> match_vectors(std::span<const ScoredVector> vectors,
                                         const MomentFilter& filter, size_t most) override;

 private:
  using Json = nlohmann::json;

  /// Number of an existing person, followed through merges; throws Error(kNotFound).
  int64_t person_number(const std::string& person_id);
  /// Numbers of these people as a JSON array; throws Error(kNotFound).
  std::vector<FoundMoment> best_of(const std::string& found, const std::string& wanted,
                                   const MomentFilter& filter, size_t most);
  std::string people_list(std::span<const std::string> person_ids);
  int64_t insert_person(const std::string& name);
  int64_t remove_empty_people();

  /// The faces, which must all be that person's, as undo() wants them; throws Error(kNotFound)
  /// otherwise.
  Json faces_before(int64_t person, std::span<const int64_t> face_ids);
  int64_t record_edit(const EditRecord& edit, const Json& before);
  int64_t record_person_edit(const char* op, int64_t person, const Json& value, const Json& before);
  void undo_people_edit(const std::string& op, int64_t edit, int64_t target, const Json& before);

  void carry_assignments(const std::string& video_id, const std::string& cache_key,
                         std::span<const FaceTrack> tracks);
  void carry_negatives(const std::string& video_id, const std::string& cache_key,
                       const std::string& space, std::span<const FaceTrack> tracks);

  std::unique_ptr<Database> owned_;
  Database& database_;
};

std::unique_ptr<JobStore> make_job_store(std::unique_ptr<Database> database);
std::unique_ptr<ServiceStore> make_service_store(std::unique_ptr<Database> database);
std::unique_ptr<LibraryView> make_library_view(std::unique_ptr<Database> database);

/// "p_12" <-> 12, "e_3" <-> 3; nullopt where the text is not of that form.
std::string prefixed(const char* prefix, int64_t number);
std::optional<int64_t> numbered(const char* prefix, const std::string& id);

/// Ends a SELECT within a transaction: rows that another connection works on are passed over, and
/// those that come are this transaction's. SQLite has one writer at a time.
const char* skip_locked(const Database& database);

}  // namespace prismvid::store

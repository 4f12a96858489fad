#include <cmath>
#include <cstring>
#include <map>

#include "core/error.h"
#include "store/sql_store.h"

// Face tracks, and how decisions follow a face from one run of the stage to the next.
namespace prismvid::store {

namespace {

constexpr float kSamePlace = 0.4f;           // intersection over union
constexpr int64_t kSameTime_us = 1'000'000;  // analysed frames of two runs need not coincide

constexpr char kFaceColumns[] =
    "SELECT f.id, f.video_id, f.cache_key, f.track, f.start_us, f.end_us, f.quality, f.space, "
    "f.person, f.by_human, b.bytes FROM faces f LEFT JOIN blobs b "
    "ON b.cache_key = f.cache_key AND b.name = 'vector_' || f.track || '.f32' ";

std::vector<float> to_vector(const std::vector<uint8_t>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

std::vector<uint8_t> to_bytes(const std::vector<float>& values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

FaceRecord read_face(const Statement& row) {
  FaceRecord face;
  face.id = row.integer(0);
  face.video_id = row.text(1);
  face.cache_key = row.text(2);
  face.track = static_cast<int>(row.integer(3));
  face.range = {row.integer(4), row.integer(5)};
  face.quality = static_cast<float>(row.real(6));
  face.space = row.text(7);
  if (!row.is_null(8)) face.person_id = prefixed("p", row.integer(8));
  face.by = row.integer(9) ? AssignedBy::kHuman : AssignedBy::kAuto;
  face.vector = to_vector(row.bytes(10));
  return face;
}

std::vector<FaceRecord> read_faces(Statement& rows) {
  std::vector<FaceRecord> faces;
  while (rows.step()) faces.push_back(read_face(rows));
  return faces;
}

/// Where a face was at its best: what finds it again in another run.
struct Place {
  int64_t t_us = 0;
  Box box;
};

Place place_of(const FaceTrack& track) {
  if (track.points.empty()) return {track.range.start_us, {}};
  const TrackPoint& best = track.points[std::min(track.best, track.points.size() - 1)];
  return {best.pts_us, best.box};
}

Place read_place(const Statement& row, int column) {
  auto real = [&](int i) { return static_cast<float>(row.real(column + i)); };
  return {row.integer(column), {real(1), real(2), real(3), real(4)}};
}

/// Index of the track that is at that place at that time, -1 when none is.
int find_track(std::span<const FaceTrack> tracks, const Place& place) {
  int found = -1;
  float best_overlap = kSamePlace;
  for (size_t i = 0; i < tracks.size(); ++i) {
    const TrackPoint* nearest = nullptr;
    int64_t distance_us = kSameTime_us + 1;
    for (const TrackPoint& point : tracks[i].points) {
      if (std::abs(point.pts_us - place.t_us) >= distance_us) continue;
      distance_us = std::abs(point.pts_us - place.t_us);
      nearest = &point;
    }
    if (!nearest) continue;
    const float overlap = intersection_over_union(nearest->box, place.box);
    if (overlap < best_overlap) continue;
    best_overlap = overlap;
    found = static_cast<int>(i);
  }
  return found;
}

}  // namespace

std::vector<FaceRecord> SqlStore::put_faces(const std::string& video_id,
                                            const std::string& cache_key, const std::string& space,
                                            std::span<const FaceTrack> tracks) {
  Transaction transaction(database_, Lock::kLibrary);
  for (size_t i = 0; i < tracks.size(); ++i) {
    const FaceTrack& track = tracks[i];
    const Place place = place_of(track);
    Statement(database_,
              "INSERT INTO faces (video_id, cache_key, track, start_us, end_us, quality, space, "
              "best_us, x0, y0, x1, y1, current) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) "
              "ON CONFLICT (cache_key, track) DO NOTHING",
              video_id, cache_key, static_cast<int64_t>(i), track.range.start_us,
              track.range.end_us, static_cast<double>(track.quality), space, place.t_us,
              static_cast<double>(place.box.x0), static_cast<double>(place.box.y0),
              static_cast<double>(place.box.x1), static_cast<double>(place.box.y1))
        .run();
  }
  carry_assignments(video_id, cache_key, tracks);
  carry_negatives(video_id, cache_key, space, tracks);
  Statement(database_,
            "UPDATE faces SET current = CASE cache_key WHEN ? THEN 1 ELSE 0 END WHERE video_id = ?",
            cache_key, video_id)
      .run();
  auto faces = faces_of_video(video_id);
  transaction.commit();
  return faces;
}

void SqlStore::carry_assignments(const std::string& video_id, const std::string& cache_key,
                                 std::span<const FaceTrack> tracks) {
  Statement old(database_,
                "SELECT f.person, f.by_human, f.best_us, f.x0, f.y0, f.x1, f.y1 FROM faces f "
                "JOIN people p ON p.number = f.person WHERE f.video_id = ? AND f.cache_key <> ? "
                "AND f.current = 1 AND (f.by_human = 1 OR p.name <> '')",
                video_id, cache_key);
  while (old.step()) {
    const int track = find_track(tracks, read_place(old, 2));
    if (track < 0) continue;
    Statement(database_,
              "UPDATE faces SET person = ?, by_human = ? "
              "WHERE cache_key = ? AND track = ? AND by_human = 0",
              old.integer(0), old.integer(1), cache_key, track)
        .run();
  }
}

void SqlStore::carry_negatives(const std::string& video_id, const std::string& cache_key,
                               const std::string& space, std::span<const FaceTrack> tracks) {
  // In the same space the old vector still says it.
  Statement old(database_,
                "SELECT n.person, n.edit, n.best_us, n.x0, n.y0, n.x1, n.y1 FROM negatives n "
                "WHERE n.video_id = ? AND n.space <> ? AND NOT EXISTS (SELECT 1 FROM negatives m "
                "WHERE m.edit = n.edit AND m.space = ? AND m.best_us = n.best_us)",
                video_id, space, space);
  struct Found {
    int64_t person, edit;
    Place place;
    int track;
  };
  std::vector<Found> found;
  while (old.step()) {
    const Place place = read_place(old, 2);
    const int track = find_track(tracks, place);
    if (track >= 0) found.push_back({old.integer(0), old.integer(1), place, track});
  }
  for (const Found& f : found) {
    const auto& vector = tracks[static_cast<size_t>(f.track)].embedding;
    if (vector.empty()) continue;
    Statement(database_,
              "INSERT INTO negatives (person, edit, video_id, space, vector, best_us, x0, y0, x1, "
              "y1) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              f.person, f.edit, video_id, space, to_bytes(vector), f.place.t_us,
              static_cast<double>(f.place.box.x0), static_cast<double>(f.place.box.y0),
              static_cast<double>(f.place.box.x1), static_cast<double>(f.place.box.y1))
        .run();
    Statement(database_,
              "UPDATE faces SET person = NULL WHERE cache_key = ? AND track = ? AND person = ?",
              cache_key, f.track, f.person)
        .run();
  }
}

std::vector<FaceRecord> SqlStore::faces_of_video(const std::string& video_id) {
  Statement rows(
      database_,
      std::string(kFaceColumns) + "WHERE f.video_id = ? AND f.current = 1 ORDER BY f.track",
      video_id);
  return read_faces(rows);
}

std::vector<FaceRecord> SqlStore::faces_of_person(const std::string& person_id) {
  Statement rows(database_,
                 std::string(kFaceColumns) +
                     "WHERE f.person = ? AND f.current = 1 ORDER BY f.video_id, f.start_us",
                 person_number(person_id));
  return read_faces(rows);
}

std::vector<FaceRecord> SqlStore::faces_in_space(const std::string& space) {
  Statement rows(database_,
                 std::string(kFaceColumns) +
                     "WHERE f.space = ? AND f.current = 1 AND b.bytes IS NOT NULL ORDER BY f.id",
                 space);
  return read_faces(rows);
}

std::vector<NegativeRecord> SqlStore::negatives(const std::string& space) {
  std::vector<NegativeRecord> all;
  Statement rows(database_, "SELECT person, vector FROM negatives WHERE space = ? ORDER BY id",
                 space);
  while (rows.step()) all.push_back({prefixed("p", rows.integer(0)), to_vector(rows.bytes(1))});
  return all;
}

std::vector<std::string> SqlStore::assign_faces(std::span<const Assignment> assignments) {
  Transaction transaction(database_, Lock::kLibrary);
  std::map<int, int64_t> fresh;
  std::vector<std::string> people;
  for (const Assignment& assignment : assignments) {
    std::optional<int64_t> person;
    if (!assignment.person_id.empty()) {
      person = person_number(assignment.person_id);
    } else if (assignment.new_person) {
      int64_t& number = fresh[*assignment.new_person];
      if (number == 0) number = insert_person("");
      person = number;
    }
    Statement(database_, "UPDATE faces SET person = ? WHERE id = ? AND by_human = 0", person,
              assignment.face_id)
        .run();
    people.push_back(person ? prefixed("p", *person) : "");
  }
  remove_empty_people();
  transaction.commit();
  return people;
}

}  // namespace prismvid::store

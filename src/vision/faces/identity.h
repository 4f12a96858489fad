#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

// Who is who: pure functions over face vectors. The caller keeps people and vectors.
namespace prismvid::vision {

using PersonId = int64_t;
using FaceVector = std::vector<float>;  // L2-normalised

/// Scales to length 1; false for a vector without direction.
bool normalise(FaceVector& vector);

struct KnownPerson {
  PersonId id = 0;
  std::vector<FaceVector> faces;
  std::vector<FaceVector> negatives;  // "this is not that person"
};

struct UnknownFace {
  FaceVector vector;  // empty: cannot be identified
  float quality = 0;  // of its track
};

struct IdentityOptions {
  float threshold =
      0.94f;  // least cosine with a person's nearest face; FaceEmbedder::same_person_cosine()
  float margin = 0.01f;  // how much nearer than the next person it must be
  float mean_slack =
      0.03f;  // how far below the threshold the cosine with the person's mean may lie
  float founding_quality = 0.45f;  // a face that is nobody known starts a person from here on
};

/// Why a face was given to a person, or to none.
struct IdentityMatch {
  float score = 0;  // cosine with the nearest face of the best person
  float threshold = 0;
  std::optional<float> margin;        // to the runner-up
  std::optional<PersonId> runner_up;  // the next best person, at any distance
};

struct FaceAssignment {
  std::optional<PersonId> person;  // none: unassigned; known, or a new id from `next_id` on
  bool founded = false;            // this face started the person
  std::optional<IdentityMatch> match;
};

/// Gives each face, in their order, a person: known, new or none. Strict, as a wrong merge is hard
/// to undo and a missed one is a click. The surest pairs are decided first, so the order of the
/// faces does not matter but for which number a new person gets; a face that meets a negative
/// vector of a person nearer than that person's own faces is not given to them. Incremental, as
/// Immich's: known people grow, they never change.
std::vector<FaceAssignment> assign_people(std::span<const KnownPerson> known,
                                          std::span<const UnknownFace> faces, PersonId next_id,
                                          const IdentityOptions& options = {});

}  // namespace prismvid::vision

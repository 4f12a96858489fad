#include "vision/faces/identity.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/error.h"

namespace prismvid::vision {
namespace {

constexpr float kNever = -2;  // below every cosine

float cosine(const FaceVector& a, const FaceVector& b) {
  check(a.size() == b.size(), ErrorCode::kInvalidArgument, "face vectors of ", a.size(), " and ",
        b.size(), " values come from different models and cannot be compared");
  float sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

float nearest(const std::vector<FaceVector>& vectors, const FaceVector& face) {
  float best = kNever;
  for (const FaceVector& vector : vectors) best = std::max(best, cosine(vector, face));
  return best;
}

/// A person during assignment; `nearest` and `rejected` are per face.
struct Person {
  PersonId id;
  FaceVector sum;
  std::vector<float> nearest;
  std::vector<float> rejected;  // cosine with the nearest negative

  void add(const FaceVector& face) {
    sum.resize(face.size());
    for (size_t i = 0; i < face.size(); ++i) sum[i] += face[i];
  }
};

class Assigner {
 public:
  Assigner(std::span<const KnownPerson> known, std::span<const UnknownFace> faces, PersonId next_id,
           const IdentityOptions& options)
      : faces_(faces), next_id_(next_id), options_(options), result_(faces.size()) {
    for (const KnownPerson& person : known) add_known(person);
  }

  std::vector<FaceAssignment> run() {
    do {
      while (assign_surest()) {
      }
    } while (found_person());
    for (size_t face = 0; face < faces_.size(); ++face)
      if (open(face) && !people_.empty()) result_[face].match = match(face, ranking(face));
    return std::move(result_);
  }

 private:
  struct Ranking {
    size_t best = 0;
    float best_score = kNever;
    size_t second = 0;
    float second_score = kNever;
  };

  void add_known(const KnownPerson& known) {
    check(known.id < next_id_, ErrorCode::kInvalidArgument, "person ", known.id,
          " is known, new ones cannot start at ", next_id_);
    Person person{known.id, {}, {}, {}};
    for (const FaceVector& face : known.faces) person.add(face);
    for (const UnknownFace& face : faces_) {
      person.nearest.push_back(face.vector.empty() ? kNever : nearest(known.faces, face.vector));
      person.rejected.push_back(face.vector.empty() ? kNever
                                                    : nearest(known.negatives, face.vector));
    }
    people_.push_back(std::move(person));
  }

  bool open(size_t face) const { return !faces_[face].vector.empty() && !result_[face].person; }

  bool rejected(const Person& person, size_t face) const {
    return person.rejected[face] != kNever && person.rejected[face] >= person.nearest[face];
  }

  Ranking ranking(size_t face) const {
    Ranking ranking;
    for (size_t i = 0; i < people_.size(); ++i) {
      const float score = people_[i].nearest[face];
      if (rejected(people_[i], face)) continue;
      if (score > ranking.best_score) {
        ranking.second = ranking.best, ranking.second_score = ranking.best_score;
        ranking.best = i, ranking.best_score = score;
      } else if (score > ranking.second_score) {
        ranking.second = i, ranking.second_score = score;
      }
    }
    return ranking;
  }

  bool accepted(size_t face, const Ranking& ranking) const {
    if (ranking.best_score < options_.threshold) return false;
    if (ranking.best_score - ranking.second_score < options_.margin) return false;
    const FaceVector& sum = people_[ranking.best].sum;
    const float mean = cosine(sum, faces_[face].vector) / std::sqrt(cosine(sum, sum));
    return mean >= options_.threshold - options_.mean_slack;
  }

  IdentityMatch match(size_t face, const Ranking& ranking) const {
    IdentityMatch match{.score = std::max(0.0f, ranking.best_score),
                        .threshold = options_.threshold,
                        .margin = {},
                        .runner_up = {}};
    if (ranking.second_score != kNever) {
      match.margin = ranking.best_score - ranking.second_score;
      match.runner_up = people_[ranking.second].id;
    }
    return match;
  }

  bool assign_surest() {
    std::optional<size_t> chosen;
    Ranking surest;
    for (size_t face = 0; face < faces_.size(); ++face) {
      if (!open(face)) continue;
      const Ranking candidate = ranking(face);
      if (candidate.best_score > surest.best_score && accepted(face, candidate))
        chosen = face, surest = candidate;
    }
    if (!chosen) return false;
    result_[*chosen].match = match(*chosen, surest);
    join(*chosen, surest.best);
    return true;
  }

  void join(size_t face, size_t person_index) {
    Person& person = people_[person_index];
    result_[face].person = person.id;
    person.add(faces_[face].vector);
    for (size_t other = 0; other < faces_.size(); ++other)
      if (open(other))
        person.nearest[other] =
            std::max(person.nearest[other], cosine(faces_[face].vector, faces_[other].vector));
  }

  /// The best face that is like nobody starts a person.
  bool found_person() {
    std::optional<size_t> chosen;
    for (size_t face = 0; face < faces_.size(); ++face) {
      if (!open(face) || faces_[face].quality < options_.founding_quality) continue;
      if (ranking(face).best_score >= options_.threshold)
        continue;  // between two people, or far from their mean
      const auto rank = [&](size_t i) { return std::tie(faces_[i].quality, faces_[i].vector); };
      if (!chosen || rank(face) > rank(*chosen)) chosen = face;
    }
    if (!chosen) return false;
    people_.push_back({next_id_++,
                       {},
                       std::vector<float>(faces_.size(), kNever),
                       std::vector<float>(faces_.size(), kNever)});
    result_[*chosen].founded = true;
    join(*chosen, people_.size() - 1);
    return true;
  }

  std::span<const UnknownFace> faces_;
  PersonId next_id_;
  IdentityOptions options_;
  std::vector<Person> people_;
  std::vector<FaceAssignment> result_;
};

}  // namespace

bool normalise(FaceVector& vector) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  if (!(square > 1e-12)) return false;
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(square));
  return true;
}

std::vector<FaceAssignment> assign_people(std::span<const KnownPerson> known,
                                          std::span<const UnknownFace> faces, PersonId next_id,
                                          const IdentityOptions& options) {
  return Assigner(known, faces, next_id, options).run();
}

}  // namespace prismvid::vision

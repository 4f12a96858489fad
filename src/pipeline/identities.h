#pragma once

#include <string>
#include <vector>

#include "core/results.h"
#include "document/build.h"
#include "store/store.h"
#include "vision/faces/identity.h"
#include "vision/models/manifest.h"

namespace prismvid::pipeline {

/// The library's people of one vector space, numbered for vision::assign_people().
struct KnownPeople {
  std::vector<std::string> ids;
  std::vector<vision::KnownPerson> people;

  /// Adds it where it is new.
  vision::KnownPerson& of(const std::string& id);
};

KnownPeople known_people(store::Store& store, const std::string& space);

/// Gives the face tracks of a video to people of the library: known ones, or new ones where a face is good enough.
/// Does nothing where these very tracks were matched before. `cache_key` is the faces stage's, `embedder` the model of its
/// vectors.
void match_people(store::Store& store, const std::string& video_id, const std::string& cache_key,
                  const vision::ModelManifest& embedder);

/// Who each of `count` tracks of a faces stage is, with today's names.
std::vector<document::FaceIdentity> identities_of(store::Store& store, const std::string& video_id,
                                                  const std::string& cache_key, size_t count);

}  // namespace prismvid::pipeline

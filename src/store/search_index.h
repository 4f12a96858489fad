#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media_time.h"

namespace prismvid::store {

/// Something that a document says about a stretch of its video.
struct MomentRecord {
  std::string kind;  // caption, scene, chapter, summary, story, highlight, text, speech, label,
                     // place, object
  std::string of;    // id of the element in the document; several moments may be of one
  TimeRange range;
  std::string text;      // as people read it
  std::string terms;     // what words find: the stems of its words, separated by spaces
  std::string keyframe;  // id of a keyframe near it, or empty
};

/// Which moments may be found. What is empty does not restrict; all that is given must hold.
struct MomentFilter {
  std::vector<std::string> videos = {};  // any of these ids
  std::vector<std::string> people = {};  // all of these ids are seen at the time
  std::vector<std::string> labels =
      {};                  // labels, objects or places of all these terms are seen then
  std::string since = {};  // RFC 3339: the video came into the library then or later,
  std::string until = {};  // and not after this
  std::optional<TimeRange> range = {};  // the moment overlaps it
};

/// A found moment. Those of one element with equal text are one, with the range of the best.
struct FoundMoment {
  int64_t id = 0;  // of the index; 0 for people, who are found by their faces
  std::string video_id;
  std::string kind;  // as above, or person
  std::string of;
  TimeRange range;
  std::string text;
  std::string keyframe;
  int64_t times = 1;  // moments that this stands for
  double score = 0;   // of the search that found it, higher is better
};

/// A video whose newest document is not in the index.
struct UnindexedVideo {
  std::string video_id;
  int64_t document = 0;  // which of its documents
  std::string analysis_id;  // of that document
};

struct UnembeddedMoment {
  int64_t id = 0;
  std::string text;
};

/// The vector of a moment's text, as IEEE half floats.
struct MomentVector {
  int64_t moment = 0;
  std::vector<uint16_t> halves;
};

/// Vectors one after another, in order of their ids, which are never used twice.
struct VectorRows {
  std::vector<int64_t> ids;
  std::vector<uint16_t> halves;
};

struct ScoredVector {
  int64_t id = 0;
  double score = 0;
};

/// What a library can be searched by. Moments go with their video, and whenever a document is
/// changed in place or an edit touches the video, until they are put again.
class SearchIndex {
 public:
  virtual ~SearchIndex() = default;

  virtual std::vector<UnindexedVideo> unindexed_videos() = 0;
  /// Replaces the video's moments; those that stay keep their vectors. Does nothing for a video
  /// that is gone.
  virtual void put_moments(const UnindexedVideo& video, std::span<const MomentRecord> moments) = 0;

  /// Moments with at least one of the phrases (stems that follow each other), ranked by BM25 or the
  /// like, best first.
  virtual std::vector<FoundMoment> match_phrases(std::span<const std::vector<std::string>> phrases,
                                                 const MomentFilter& filter, size_t most) = 0;
  /// Where any of these people is seen, best seen first; hidden people are left out.
  virtual std::vector<FoundMoment> match_people(std::span<const std::string> person_ids,
                                                const MomentFilter& filter, size_t most) = 0;
  /// Labels, objects and places with exactly one of these terms, longest first.
  virtual std::vector<FoundMoment> match_labels(std::span<const std::string> terms,
                                                const MomentFilter& filter, size_t most) = 0;

  /// Moments of sentences, texts, labels and places that have no vector of this space yet.
  virtual std::vector<UnembeddedMoment> unembedded_moments(const std::string& space,
                                                           size_t most) = 0;
  /// Moments that are gone meanwhile are left out.
  virtual void put_vectors(const std::string& space, std::span<const MomentVector> vectors) = 0;
  virtual int64_t count_vectors(const std::string& space) = 0;
  virtual VectorRows vectors_after(const std::string& space, int64_t id) = 0;
  /// The moments of these vectors, as far as they are still there, best score first.
  virtual std::vector<FoundMoment> match_vectors(std::span<const ScoredVector> vectors,
                                                 const MomentFilter& filter, size_t most) = 0;
};

}  // namespace prismvid::store

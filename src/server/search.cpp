#include "server/search.h"

#include <filesystem>

#include "document/json.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr size_t kMostMoments = 2000;  // of which kinds are then chosen

/// The document's word for what is said.
std::string kind_of(const search::SearchHit& hit) { return hit.kind == "speech" ? "transcript" : hit.kind; }

Json hit_json(const search::SearchHit& hit) {
  Json why = Json::array();
  for (const search::Reason& reason : hit.why)
    why.push_back({{"kind", reason.by == "words" ? kind_of(hit) : reason.by}, {"of", hit.of.empty() ? Json() : Json(hit.of)}, {"rank", reason.rank}});
  const std::string thumb = "/v1/videos/" + hit.video_id + "/keyframes/" + hit.keyframe + ".jpg";
  return {{"video", hit.video_id},
          {"name", std::filesystem::path(hit.path).filename().string()},
          {"start", document::seconds(hit.range.start_us)},
          {"end", document::seconds(hit.range.end_us)},
          {"keyframe", hit.keyframe.empty() ? Json() : Json(hit.keyframe)},
          {"thumb", hit.keyframe.empty() ? Json() : Json(thumb)},
          {"level", "window"},
          {"kind", kind_of(hit)},
          {"text", hit.snippet.text},
          {"matches", hit.snippet.matches},
          {"times", hit.times},
          {"score", document::rounded(hit.score, 6)},
          {"why", why},
          {"verdict", "unchecked"}};
}

}  // namespace

Json search(pipeline::LibrarySearch& library, store::Store& store, const search::SearchQuery& query,
            const std::set<std::string>& kinds) {
  search::SearchQuery wider = query;
  if (!kinds.empty()) wider.limit = kMostMoments;
  const pipeline::LibraryHits found = library.find(store, wider);
  Json hits = Json::array();
  for (const search::SearchHit& hit : found.hits) {
    if (hits.size() == query.limit) break;
    if (kinds.empty() || kinds.contains(kind_of(hit))) hits.push_back(hit_json(hit));
  }
  return {{"hits", hits}, {"fusion", "rrf"}, {"k", 60}, {"spaces", found.words_only.empty() ? Json{"sentences"} : Json::array()}, {"stale_videos", found.stale_videos.size()},
          {"words_only", found.words_only.empty() ? Json() : Json(found.words_only)}};
}

}  // namespace prismvid::server

#include "pipeline/questions.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <list>

#include "core/error.h"
#include "core/stopwatch.h"
#include "pipeline/analyzer.h"
#include "pipeline/stored_parts.h"
#include "search/phrases.h"

namespace prismvid::pipeline {
namespace {

/// A video with what was found in it.
struct Asked {
  store::VideoRecord record;
  document::Document document;
};

std::vector<Asked> load_videos(store::Store& store, std::vector<std::string> ids) {
  const bool library = ids.empty();
  if (library)
    for (const store::VideoRecord& video : store.videos())
      if (store.latest_document(video.id)) ids.push_back(video.id);
  check(!ids.empty(), ErrorCode::kNotFound,
        "the library holds no analysed video: run 'prismvid analyze' first");
  std::vector<Asked> videos;
  for (const std::string& id : ids) {
    const store::VideoRecord record = require_video(store, id);
    videos.push_back({record, latest_document(store, record.id)});
  }
  return videos;
}

/// What the library's search finds for a question, and why it searched by words only.
struct Found {
  std::vector<deep::Moment> moments;
  std::string words_only;
};

Found find_moments(store::Store& store, LibrarySearch& search, const std::vector<Asked>& videos,
                   bool whole_library, const std::string& question,
                   const deep::AskOptions& options) {
  search::SearchQuery query;
  // A follow-up such as "and then?" is about what was asked before.
  query.words =
      options.history.empty() ? question : options.history.back().question + " " + question;
  if (search::parse_phrases(query.words).empty()) return {};  // "?": every moment is as good
  if (!whole_library)
    for (const Asked& video : videos) query.videos.push_back(video.record.id);
  query.range = options.range;
  query.limit = 50;
  LibraryHits hits = search.find(store, query);
  Found found;
  found.words_only = std::move(hits.words_only);
  for (search::SearchHit& hit : hits.hits) {
    const auto video = std::find_if(videos.begin(), videos.end(),
                                    [&](const Asked& v) { return v.record.id == hit.video_id; });
    if (video == videos.end()) continue;  // came into the library just now
    found.moments.push_back({static_cast<size_t>(video - videos.begin()), hit.range,
                             std::move(hit.kind), std::move(hit.of), std::move(hit.text),
                             hit.score});
  }
  return found;
}

document::Degraded degraded(const Error& error) {
  return {"deep_unavailable", error.what(), {"ask"}, "manual"};
}

}  // namespace

deep::Answer Questions::ask(const std::vector<std::string>& video_ids, const std::string& question,
                            const std::string& model, const deep::AskOptions& options,
                            std::stop_token stop) {
  check(question.find_first_not_of(" \t\r\n") != std::string::npos, ErrorCode::kInvalidArgument,
        "the question is empty");
  const Stopwatch watch;
  const std::vector<Asked> videos = load_videos(store_, video_ids);
  const double loaded_s = watch.seconds();
  const Found found = find_moments(store_, search_, videos, video_ids.empty(), question, options);
  spdlog::debug("question: documents read in {:.1f} ms, moments found in {:.1f} ms",
                1000 * loaded_s, 1000 * (watch.seconds() - loaded_s));
  std::vector<const document::Document*> documents;
  for (const Asked& video : videos) documents.push_back(&video.document);
  if (options.watch.on_found) options.watch.on_found(deep::cite_moments(documents, found.moments));
  try {
    const auto loaded = deep_models_.open(deep_models_.choose(model));
    std::list<StoredParts> parts;
    std::vector<deep::Askable> askable;
    for (const Asked& video : videos) {
      parts.emplace_back(store_, video.record.id, false);
      askable.push_back({video.record.path, video.document, options.language, *loaded, parts.back(),
                         [&](const std::string& href) -> std::optional<std::vector<uint8_t>> {
                           const auto place = document::locate_picture(video.document, href);
                           return place ? store_.load_blob(place->cache_key, place->blob)
                                        : std::nullopt;
                         },
                         [](int64_t) {}, stop});
    }
    deep::Answer answer = deep::ask(askable, found.moments, question, options);
    answer.words_only = found.words_only;
    return answer;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kInvalidArgument ||
        error.code() == ErrorCode::kStore)
      throw;
    deep::Answer answer = deep::answer_by_search(documents, found.moments);
    answer.words_only = found.words_only;
    answer.degraded = degraded(error);
    return answer;
  }
}

}  // namespace prismvid::pipeline

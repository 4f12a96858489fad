#include <algorithm>

#include "document/json.h"
#include "server/byte_range.h"
#include "server/parameters.h"
#include "server/service.h"

// The list of videos and their documents.
namespace prismvid::server {
namespace {

using document::Json;
using CardPointer = std::shared_ptr<const Card>;

const std::vector<std::string> kParts = {
    "shots",    "scenes",   "markers",   "objects", "people",     "texts",      "labels",     "transcript", "captions",
    "chapters", "summaries", "story", "highlights", "moderation", "embeddings", "artifacts", "edits"};

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// Whether a card has what the query asks for.
class CardFilter {
 public:
  CardFilter(const Request& request, Context& context)
      : label_(request.parameter("label")),
        tag_(request.parameter("tag")),
        text_(lower_case(request.parameter("text").value_or(""))),
        words_(lower_case(request.parameter("q").value_or(""))),
        statuses_(list_parameter(request, "status",
                                 {"queued", "running", "complete", "partial", "failed"})) {
    if (const auto person = request.parameter("person")) {
      const auto known = context.stores.borrow()->find_person(*person);
      person_ = known ? known->id : "none";
    }
  }

  bool keeps(const Card& card) const {
    if (label_ && !contains(card.labels, *label_)) return false;
    if (tag_ && !contains(card.tags, *tag_)) return false;
    if (person_ && !contains(card.people, *person_)) return false;
    if (!statuses_.empty() && !statuses_.contains(card.status)) return false;
    return card.texts.find(text_) != std::string::npos && has_words(card);
  }

 private:
  bool has_words(const Card& card) const {
    const std::string all = card.texts + "\n" + lower_case(card.line);
    for (size_t start = 0; start < words_.size();) {
      const size_t end = std::min(words_.find(' ', start), words_.size());
      const std::string word = words_.substr(start, end - start);
      const bool label = std::any_of(card.labels.begin(), card.labels.end(), [&](const auto& name) {
        return lower_case(name).find(word) != std::string::npos;
      });
      if (!label && all.find(word) == std::string::npos) return false;
      start = end + 1;
    }
    return true;
  }

  std::optional<std::string> label_, tag_, person_;
  std::string text_, words_;
  std::set<std::string> statuses_;
};

void sort_cards(std::vector<CardPointer>& cards, const std::string& order) {
  const auto by = [&](auto key) {
    std::stable_sort(cards.begin(), cards.end(),
                     [&](const auto& a, const auto& b) { return key(*a) < key(*b); });
  };
  if (order == "name") return by([](const Card& card) { return lower_case(card.name); });
  if (order == "duration") return by([](const Card& card) { return -card.duration_us; });
  if (order != "added")
    throw HttpError(400, "invalid_parameter", "sort=" + order + ": must be from added, name, duration");
}

Json card_json(const Card& card) {
  return {{"id", card.id},
          {"name", card.name},
          {"added_at", card.added_at},
          {"status", card.status},
          {"profile", card.profile.empty() ? Json() : Json(card.profile)},
          {"duration", document::seconds(card.duration_us)},
          {"width", card.width},
          {"height", card.height},
          {"line", card.line},
          {"thumb", card.thumb.empty() ? Json() : Json(card.thumb)},
          {"people", card.people},
          {"tags", card.tags}};
}

Response list_videos(Request& request, Context& context) {
  const auto limit = static_cast<size_t>(integer_parameter(request, "limit", 50, 1, 500));
  std::vector<CardPointer> cards = context.documents.cards();
  const CardFilter filter(request, context);
  std::erase_if(cards, [&](const auto& card) { return !filter.keeps(*card); });
  sort_cards(cards, request.parameter("sort").value_or("added"));
  auto first = cards.begin();
  if (const auto cursor = request.parameter("cursor")) {
    first = std::find_if(cards.begin(), cards.end(), [&](const auto& card) { return card->id == *cursor; });
    if (first == cards.end())
      throw HttpError(400, "invalid_cursor", "the cursor '" + *cursor + "' is not in this list any more: start again without it");
    ++first;
  }
  Json videos = Json::array();
  auto next = first;
  for (; next != cards.end() && videos.size() < limit; ++next) videos.push_back(card_json(**next));
  const bool more = next != cards.end();
  return json_response({{"videos", videos},
                        {"total", cards.size()},
                        {"next_cursor", more ? Json((*std::prev(next))->id) : Json()}});
}

Response get_document(Request& request, Context& context) {
  const auto published = context.documents.get(request.value("id"));
  const auto include = list_parameter(request, "include", kParts);
  if (auto known = not_modified(request, published->etag)) return *known;
  Response response;
  response.headers = {{"ETag", published->etag}};
  if (!request.parameter("include")) {
    response.body = published->text;
    return response;
  }
  Json part;
  for (const auto& [key, value] : published->json.items())
    if (include.contains(key) || !contains(kParts, key)) part[key] = value;
  response.body = document::to_text(part);
  return response;
}

Response delete_video(Request& request, Context& context) {
  const auto store = context.stores.borrow();
  const auto video = store->find_video(request.value("id"));
  check(video.has_value(), ErrorCode::kNotFound, "there is no video '", request.value("id"), "'");
  const store::Removed removed = store->delete_video(video->id);
  context.deep_models.forget_frames(video->sha256);
  context.uploads.remove_file(video->path);
  return json_response({{"video", video->id},
                        {"removed",
                         {{"documents", removed.documents},
                          {"stages", removed.stages},
                          {"pictures", removed.pictures},
                          {"face_tracks", removed.face_tracks},
                          {"vectors", removed.vectors},
                          {"people", removed.people},
                          {"edits", removed.edits}}},
                        {"wiped", removed.wiped}});
}

}  // namespace

void add_library_routes(Router& router, Context& context) {
  router.add({"GET", "/v1/videos", Scope::kRead, "Videos with filters, a page at a time",
              [&](Request& request) { return list_videos(request, context); }, 0,
              {{"q"}, {"person"}, {"label"}, {"text"}, {"tag"}, {"status"}, {"sort"}, {"cursor"}, {"limit", "integer"}}});
  router.add({"GET", "/v1/videos/{id}", Scope::kRead, "The analysis document, whole or some parts",
              [&](Request& request) { return get_document(request, context); }, 0, {{"include"}}});
  router.add({"DELETE", "/v1/videos/{id}", Scope::kWrite, "Deletes everything known about a video; the file stays",
              [&](Request& request) { return delete_video(request, context); }});
}

}  // namespace prismvid::server

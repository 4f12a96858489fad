#include <algorithm>
#include <cmath>

#include "deep/ask.h"
#include "deep/language.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "pipeline/questions.h"
#include "server/ask_stream.h"
#include "server/json_body.h"
#include "server/parameters.h"
#include "server/search.h"
#include "server/service.h"
#include "server/watched_call.h"

// Questions about videos, and search.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kMaxRequestBytes = 256 << 10;
constexpr size_t kLongestQuestion = 4000;
constexpr size_t kMostTurns = 20;
constexpr int kMostHits = 200;

struct Question {
  std::vector<std::string> videos;
  std::string text;
  std::string model;
  deep::AskOptions options;
  bool stream = false;
};

std::vector<std::string> string_list(const BodyJson& body, const char* key) {
  std::vector<std::string> values;
  const auto list = body.find(key);
  if (list == body.end() || list->is_null()) return values;
  if (!list->is_array()) wrong_key(key, "a list of strings");
  for (const auto& value : *list) {
    if (!value.is_string()) wrong_key(key, "a list of strings");
    values.push_back(value.get<std::string>());
  }
  return values;
}

void read_history(const BodyJson& body, deep::AskOptions& options) {
  const auto history = body.find("history");
  if (history == body.end() || history->is_null()) return;
  if (!history->is_array() || history->size() > kMostTurns) wrong_key("history", "a list of at most 20 turns");
  for (const auto& turn : *history) {
    allow_keys(turn, "a turn of 'history'", {"question", "answer"});
    options.history.push_back({required_string(turn, "question"), string_key(turn, "answer").value_or("")});
  }
}

Question read_question(const Request& request) {
  const BodyJson body = parse_object(request.body, {"question", "history", "range", "video_ids", "stream", "language", "model", "windows", "locate"});
  Question question;
  question.text = required_string(body, "question");
  if (question.text.size() > kLongestQuestion) wrong_key("question", "4000 bytes at most");
  if (request.path_values.contains("id"))
    question.videos = {request.value("id")};
  else
    question.videos = string_list(body, "video_ids");
  read_history(body, question.options);
  if (const auto range = body.find("range"); range != body.end() && !range->is_null()) {
    allow_keys(*range, "'range'", {"start", "end"});
    const double start = number_key(*range, "start").value_or(0), end = number_key(*range, "end").value_or(1e9);
    if (!(start >= 0 && end > start && end <= 1e9)) wrong_key("range", "seconds with start before end");
    question.options.range = TimeRange{std::llround(start * 1e6), std::llround(end * 1e6)};
  }
  question.options.language = string_key(body, "language").value_or("en");
  deep::language_name(question.options.language);  // refuses what no model was taught
  question.options.most_windows = static_cast<int>(integer_key(body, "windows", 1, 100).value_or(question.options.most_windows));
  question.options.locate = string_key(body, "locate").value_or("");
  question.stream = flag_key(body, "stream").value_or(false);
  question.model = string_key(body, "model").value_or("");
  if (question.model.starts_with('/') || question.model.starts_with('.')) wrong_key("model", "the name of an installed model");
  return question;
}

/// `citations` with what the page shows beside them.
void add_pictures(Json& citations, Context& context) {
  std::map<std::string, std::string> names;
  for (const auto& card : context.documents.cards()) names[card->id] = card->name;
  for (Json& citation : citations) {
    const std::string video = citation.value("video", ""), keyframe = citation.value("keyframe", "");
    citation["name"] = names[video];
    citation["thumb"] = keyframe.empty() ? Json() : Json("/v1/videos/" + video + "/keyframes/" + keyframe + ".jpg");
    citation["verdict"] = "unchecked";
  }
}

Json found_json(const std::vector<deep::Citation>& found, Context& context) {
  Json citations = Json::array();
  for (const deep::Citation& citation : found) citations.push_back(deep::to_json(citation));
  add_pictures(citations, context);
  return citations;
}

Json answer_question(Question question, Context& context, const deep::AskWatch& watch, std::stop_token stop) {
  const auto store = context.stores.borrow();
  question.options.watch = watch;
  Json json = deep::to_json(pipeline::Questions(*store, context.library_search, &context.deep_models).ask(question.videos, question.text, question.model, question.options, stop));
  add_pictures(json["citations"], context);
  return json;
}

Response post_ask(Request& request, Context& context) {
  const Question question = read_question(request);
  // A video that is not there is an error of the request, streaming or not.
  for (const std::string& video : question.videos) pipeline::require_analysis(*context.stores.borrow(), video);
  const auto answer = [question, &context](const deep::AskWatch& watch, std::stop_token stop) { return answer_question(question, context, watch, stop); };
  if (!question.stream) return json_response(run_watched(request, [&](std::stop_token stop) { return answer({}, stop); }));
  const auto cite = [&context](const std::vector<deep::Citation>& found) { return found_json(found, context); };
  const auto stream = std::make_shared<AskStream>(answer, cite, request);
  return event_stream([stream] { return stream->next(); });
}

std::vector<std::string> listed(const std::set<std::string>& values) { return {values.begin(), values.end()}; }

Response get_search(Request& request, Context& context) {
  search::SearchQuery query;
  query.words = request.parameter("text").value_or("");
  query.videos = listed(list_parameter(request, "video"));
  query.people = listed(list_parameter(request, "person"));
  query.labels = listed(list_parameter(request, "label"));
  query.since = request.parameter("added_from").value_or("");
  query.until = request.parameter("added_to").value_or("");
  query.limit = static_cast<size_t>(integer_parameter(request, "top_k", 20, 1, kMostHits));
  return json_response(server::search(context.library_search, *context.stores.borrow(), query, list_parameter(request, "kind", kSearchKinds)));
}

Response post_search(Request& request, Context& context) {
  const BodyJson body = parse_object(request.body, {"text", "filters", "top_k"});
  search::SearchQuery query;
  std::set<std::string> kinds;
  query.words = string_key(body, "text").value_or("");
  query.limit = static_cast<size_t>(integer_key(body, "top_k", 1, kMostHits).value_or(20));
  if (const auto filters = body.find("filters"); filters != body.end() && !filters->is_null()) {
    allow_keys(*filters, "'filters'", {"kinds", "video_ids", "people", "labels", "added_from", "added_to"});
    for (const std::string& kind : string_list(*filters, "kinds")) {
      if (std::find(kSearchKinds.begin(), kSearchKinds.end(), kind) == kSearchKinds.end())
        wrong_key("kinds", "of the kinds that /openapi.json lists");
      kinds.insert(kind);
    }
    query.videos = string_list(*filters, "video_ids");
    query.people = string_list(*filters, "people");
    query.labels = string_list(*filters, "labels");
    query.since = string_key(*filters, "added_from").value_or("");
    query.until = string_key(*filters, "added_to").value_or("");
  }
  return json_response(server::search(context.library_search, *context.stores.borrow(), query, kinds));
}

}  // namespace

void add_ask_routes(Router& router, Context& context) {
  const auto ask = [&](Request& request) { return post_ask(request, context); };
  router.add({"POST", "/v1/videos/{id}/ask", Scope::kRead, "Answers a question about a video", ask, kMaxRequestBytes, {}, "AskRequest"});
  router.add({"POST", "/v1/ask", Scope::kRead, "Answers a question about some or all videos", ask, kMaxRequestBytes, {}, "AskRequest"});
  router.add({"GET", "/v1/search", Scope::kRead, "Moments of all videos by words",
              [&](Request& request) { return get_search(request, context); }, 0,
              {{"text"}, {"kind"}, {"video"}, {"person"}, {"label"}, {"added_from"}, {"added_to"}, {"top_k", "integer"}}});
  router.add({"POST", "/v1/search", Scope::kRead, "Moments of all videos by words",
              [&](Request& request) { return post_search(request, context); }, kMaxRequestBytes, {}, "SearchRequest"});
}

}  // namespace prismvid::server

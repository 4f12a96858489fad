#include "server/job_request.h"

#include <algorithm>
#include <cmath>

#include "server/json_body.h"

namespace prismvid::server {
namespace {

using pipeline::DeepMode;

constexpr int kHighestPriority = 100;
constexpr double kMostSeconds = 1e9;
constexpr size_t kLongestLanguage = 35;
const std::set<std::string> kWebhookEvents = {"done", "partial", "failed", "cancelled", "person_found"};

void read_source(const BodyJson& body, JobRequest& request) {
  const auto source = body.find("source");
  if (source == body.end()) wrong_key("source", R"(given, for example {"path": "holiday.mp4"})");
  allow_keys(*source, "'source'", {"path", "url", "upload_id"});
  if (source->size() != 1) wrong_key("source", "one of path, url and upload_id");
  const std::string kind = source->begin().key();
  request.kind = kind == "path"  ? SourceKind::kPath
                 : kind == "url" ? SourceKind::kUrl
                                 : SourceKind::kUpload;
  request.source = required_string(*source, kind.c_str());
  if (request.source.find('\0') != std::string::npos) wrong_key("source." + kind, "without null characters");
}

void read_features(const BodyJson& body, JobRequest& request) {
  const auto list = body.find("features");
  if (list == body.end() || list->is_null()) return;
  if (!list->is_array() || list->empty()) wrong_key("features", "a list of names that is not empty");
  std::set<std::string> fast, deep;
  for (const auto& name : *list) {
    if (!name.is_string()) wrong_key("features", "a list of names");
    const auto text = name.get<std::string>();
    const auto in = [&](const auto& known) { return std::find(known.begin(), known.end(), text) != known.end(); };
    if (in(pipeline::kFeatures)) fast.insert(text);
    else if (in(pipeline::kDeepFeatures)) deep.insert(text);
    else if (text == "all") fast.insert(pipeline::kFeatures.begin(), pipeline::kFeatures.end());
    else wrong_key("features", "of what is there, and '" + text + "' is not: shots, scenes, objects, faces, ocr, labels, "
                   "places, transcript, all; of the deep profile caption, describe, chapters, summary, story, highlights");
  }
  if (!fast.empty()) request.options.features = fast;
  if (deep.empty()) return;
  if (request.profile != "deep") wrong_key("profile", "\"deep\" for '" + *deep.begin() + "'");
  request.options.deep.features = deep;
}

void read_range(const BodyJson& body, JobRequest& request) {
  const auto range = body.find("range");
  if (range == body.end() || range->is_null()) return;
  allow_keys(*range, "'range'", {"start", "end"});
  const double start = number_key(*range, "start").value_or(0);
  const auto end = number_key(*range, "end");
  if (!(start >= 0 && start < kMostSeconds) || (end && !(*end > start && *end <= kMostSeconds)))
    wrong_key("range", "seconds with start before end");
  request.options.range = TimeRange{std::llround(start * 1e6), end ? std::llround(*end * 1e6) : INT64_MAX};
}

/// Names only: a path would open a folder that the caller chose.
std::string read_model(const BodyJson& body) {
  const std::string model = string_key(body, "model").value_or("");
  const bool plain = !model.starts_with('/') && !model.starts_with('.') && !model.starts_with('~') &&
                     model.find("..") == std::string::npos && model.find('\\') == std::string::npos;
  if (!plain) wrong_key("model", "the name of an installed model, not a path");
  return model;
}

void read_webhook(BodyJson& body, JobRequest& request) {
  const auto hook = body.find("webhook");
  if (hook == body.end() || hook->is_null()) return;
  allow_keys(*hook, "'webhook'", {"url", "secret", "events"});
  request.webhook_url = required_string(*hook, "url");
  request.webhook_secret = required_string(*hook, "secret");
  if (!request.webhook_url.starts_with("http://") && !request.webhook_url.starts_with("https://"))
    wrong_key("webhook.url", "an http or https URL");
  const auto events = hook->find("events");
  if (events == hook->end()) return;
  const auto known = [](const auto& event) { return event.is_string() && kWebhookEvents.contains(event.template get<std::string>()); };
  if (!events->is_array() || events->empty() || !std::all_of(events->begin(), events->end(), known))
    wrong_key("webhook.events", "a list of done, partial, failed, cancelled, person_found");
}

BodyJson parse_body(const std::string& text) {
  return parse_object(text, {"source", "profile", "features", "range", "language", "model", "faces", "priority", "webhook", "force"});
}

JobRequest read_request(BodyJson body) {
  JobRequest request;
  read_source(body, request);
  request.profile = string_key(body, "profile").value_or("fast");
  if (request.profile != "fast" && request.profile != "deep") wrong_key("profile", "\"fast\" or \"deep\"");
  if (request.profile == "deep") request.options.deep.mode = DeepMode::kAuto;
  read_features(body, request);
  read_range(body, request);
  request.options.deep.language = string_key(body, "language").value_or("en");
  if (request.options.deep.language.size() > kLongestLanguage) wrong_key("language", "a language tag such as en or de");
  request.options.deep.model = read_model(body);
  if (!flag_key(body, "faces").value_or(true)) request.options.features.erase("faces");
  request.options.force = flag_key(body, "force").value_or(false);
  request.priority = static_cast<int>(integer_key(body, "priority", -kHighestPriority, kHighestPriority).value_or(0));
  read_webhook(body, request);
  if (const auto hook = body.find("webhook"); hook != body.end()) {
    const BodyJson events = hook->is_object() ? hook->value("events", BodyJson()) : BodyJson();
    body.erase("webhook");  // address and secret are kept apart
    if (!events.is_null()) body["webhook"] = {{"events", events}};
  }
  request.stored = std::move(body);
  return request;
}

}  // namespace

JobRequest parse_job_request(const std::string& text) { return read_request(parse_body(text)); }

JobRequest parse_stored_request(const std::string& text) {
  BodyJson body = parse_body(text);
  body.erase("webhook");
  return read_request(std::move(body));
}

std::set<std::string> webhook_events(const std::string& text) {
  const BodyJson body = BodyJson::parse(text, nullptr, false);
  if (!body.is_object() || !body.contains("webhook")) return kWebhookEvents;
  std::set<std::string> events;
  for (const auto& event : body["webhook"].value("events", BodyJson::array())) events.insert(event.get<std::string>());
  return events;
}

void drop_unasked(JobRequest& request, const vision::ModelRegistry& models) {
  const auto named = request.stored.find("features");
  const bool places_named = named != request.stored.end() && named->is_array() &&
                            std::find(named->begin(), named->end(), "places") != named->end();
  if (!places_named && !models.find("scene_class")) request.options.features.erase("places");
}

}  // namespace prismvid::server

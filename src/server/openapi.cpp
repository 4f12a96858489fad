#include "server/openapi.h"

#include <algorithm>

#include "version.h"

namespace prismvid::server {
namespace {

using document::Json;

/// Bodies of requests, and the one shape of errors.
constexpr char kSchemas[] = R"json({
"Error": {"type": "object", "required": ["error"], "properties": {"error": {"type": "object", "required": ["code", "message", "retryable"],
  "properties": {"code": {"type": "string"}, "message": {"type": "string"}, "retryable": {"type": "boolean"}}}}},
"Range": {"type": "object", "additionalProperties": false, "properties": {"start": {"type": "number", "minimum": 0}, "end": {"type": "number", "minimum": 0}}},
"JobRequest": {"type": "object", "additionalProperties": false, "required": ["source"], "properties": {
  "source": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {"path": {"type": "string", "minLength": 1}, "url": {"type": "string", "format": "uri"}, "upload_id": {"type": "string", "minLength": 1}}},
  "profile": {"enum": ["fast", "deep"]}, "features": {"type": "array", "minItems": 1, "items": {"enum": ["shots", "scenes", "objects", "faces", "ocr", "labels", "places", "transcript", "all", "caption", "describe", "chapters", "summary", "story", "highlights"]}},
  "range": {"$ref": "#/components/schemas/Range"}, "language": {"type": "string"}, "model": {"type": "string"}, "faces": {"type": "boolean"},
  "priority": {"type": "integer", "minimum": -100, "maximum": 100}, "force": {"type": "boolean"},
  "webhook": {"type": "object", "additionalProperties": false, "required": ["url", "secret"], "properties": {"url": {"type": "string", "format": "uri"}, "secret": {"type": "string", "minLength": 1}, "events": {"type": "array", "minItems": 1, "items": {"enum": ["done", "partial", "failed", "cancelled", "person_found"]}}}}}},
"UploadRequest": {"type": "object", "additionalProperties": false, "required": ["name", "bytes"], "properties": {"name": {"type": "string", "minLength": 1}, "bytes": {"type": "integer", "minimum": 1}}},
"PersonEdit": {"type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1, "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 200}, "hidden": {"type": "boolean"}}},
"MergeRequest": {"type": "object", "additionalProperties": false, "required": ["from"], "properties": {"from": {"type": "array", "minItems": 1, "items": {"type": "string"}}}},
"FacesRequest": {"type": "object", "additionalProperties": false, "required": ["faces"], "properties": {"faces": {"type": "array", "minItems": 1, "items": {"type": "integer"}}}},
"EditRequest": {"type": "object", "additionalProperties": false, "required": ["op", "target", "value"], "properties": {"op": {"enum": ["set_text", "set_caption", "set_chapter"]}, "target": {"type": "string", "minLength": 1}, "value": {"type": "string"}}},
"AskRequest": {"type": "object", "additionalProperties": false, "required": ["question"], "properties": {
  "question": {"type": "string", "minLength": 1, "maxLength": 4000}, "history": {"type": "array", "maxItems": 20, "items": {"type": "object", "additionalProperties": false, "required": ["question"], "properties": {"question": {"type": "string", "minLength": 1}, "answer": {"type": "string"}}}},
  "range": {"$ref": "#/components/schemas/Range"}, "video_ids": {"type": "array", "items": {"type": "string"}}, "stream": {"type": "boolean"}, "language": {"type": "string"},
  "model": {"type": "string"}, "windows": {"type": "integer", "minimum": 1, "maximum": 100}, "locate": {"type": "string"}}},
"SearchRequest": {"type": "object", "additionalProperties": false, "properties": {"text": {"type": "string"}, "top_k": {"type": "integer", "minimum": 1, "maximum": 200},
  "filters": {"type": "object", "additionalProperties": false, "properties": {"kinds": {"type": "array", "items": {"enum": ["caption", "scene", "chapter", "summary", "story", "highlight", "text", "transcript", "label", "place", "object", "person"]}}, "video_ids": {"type": "array", "items": {"type": "string"}},
  "people": {"type": "array", "items": {"type": "string"}}, "labels": {"type": "array", "items": {"type": "string"}}, "added_from": {"type": "string"}, "added_to": {"type": "string"}}}}},
"EstimateRequest": {"type": "object", "additionalProperties": false, "required": ["duration"], "properties": {"duration": {"type": "number", "minimum": 0}, "profile": {"enum": ["fast", "deep"]}}},
"ReindexRequest": {"type": "object", "additionalProperties": false, "properties": {"video_ids": {"type": "array", "items": {"type": "string"}}, "profile": {"enum": ["fast", "deep"]}, "only": {"enum": ["missing", "stale", "all"]}}},
"ChatRequest": {"type": "object", "required": ["messages"], "properties": {"model": {"type": "string"}, "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}}, "stream": {"type": "boolean"}}},
"CompletionRequest": {"type": "object", "required": ["prompt"], "properties": {"model": {"type": "string"}, "prompt": {"type": "string"}, "stream": {"type": "boolean"}}},
"ResponsesRequest": {"type": "object", "required": ["input"], "properties": {"model": {"type": "string"}, "input": {}, "stream": {"type": "boolean"}}}
})json";

Json parameters_of(const Route& route) {
  Json parameters = Json::array();
  for (size_t open = route.pattern.find('{'); open != std::string::npos; open = route.pattern.find('{', open + 1)) {
    const std::string name = route.pattern.substr(open + 1, route.pattern.find('}', open) - open - 1);
    parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const QueryParameter& parameter : route.query)
    parameters.push_back({{"name", parameter.name}, {"in", "query"}, {"schema", {{"type", parameter.type}}}});
  return parameters;
}

Json reference(const std::string& schema) { return {{"$ref", "#/components/schemas/" + schema}}; }

std::string operation_id(const Route& route) {
  std::string id = route.method;
  for (const char c : route.pattern) id += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return id;
}

Json operation_of(const Route& route) {
  Json operation = {{"operationId", operation_id(route)}, {"summary", route.summary}, {"parameters", parameters_of(route)}};
  if (!route.body.empty()) {
    operation["requestBody"] = {{"required", true}};
    if (route.body == "Bytes")
      operation["requestBody"]["content"]["application/octet-stream"] = Json::object();
    else
      operation["requestBody"]["content"]["application/json"] = {{"schema", reference(route.body)}};
  }
  if (route.scope != Scope::kNone) operation["security"] = Json::array({{{"key", Json::array()}}});
  operation["responses"] = {{"2XX", {{"description", "As docs/service.md says"}}},
                            {"default", {{"description", "An error"}, {"content", {{"application/json", {{"schema", reference("Error")}}}}}}}};
  return operation;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Json openapi(const Router& router) {
  Json paths = Json::object();
  for (const Route& route : router.routes()) {
    const bool api = route.pattern.starts_with("/v1/") || route.pattern == "/analyze/video" || route.pattern == "/metrics" || route.pattern == "/openapi.json";
    if (api) paths[route.pattern][lower_case(route.method)] = operation_of(route);
  }
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "PrismVid"}, {"version", kVersion}, {"summary", "Watches videos and says what is in them"}}},
          {"paths", paths},
          {"components",
           {{"securitySchemes", {{"key", {{"type", "http"}, {"scheme", "bearer"}}}}}, {"schemas", Json::parse(kSchemas)}}}};
}

}  // namespace prismvid::server

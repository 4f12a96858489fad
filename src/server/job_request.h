#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "pipeline/options.h"
#include "vision/models/manifest.h"

namespace prismvid::server {

enum class SourceKind { kPath, kUrl, kUpload };

/// What `POST /analyze/video` asks for.
struct JobRequest {
  SourceKind kind = SourceKind::kPath;
  std::string source;  // the path, URL or upload id
  std::string profile = "fast";
  pipeline::AnalyzeOptions options;
  int priority = 0;
  std::string webhook_url;
  std::string webhook_secret;
  nlohmann::ordered_json stored;  // the request as it may be kept: without secrets
};

/// Reads a request's body. Throws HttpError 400 naming the key that is wrong, also for keys that do
/// not exist.
JobRequest parse_job_request(const std::string& body);

/// The same of what was kept of it.
JobRequest parse_stored_request(const std::string& text);

/// What the webhook of a kept request is told of: states in which jobs end, and person_found.
std::set<std::string> webhook_events(const std::string& text);

/// Drops what no model is there for unless it was named.
void drop_unasked(JobRequest& request, const vision::ModelRegistry& models);

}  // namespace prismvid::server

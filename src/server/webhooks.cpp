#include "server/webhooks.h"

#include <openssl/hmac.h>
#include <spdlog/spdlog.h>

#include <array>

#include "core/sha256.h"
#include "document/json.h"
#include "server/job_request.h"
#include "server/jobs_json.h"
#include "server/url_fetch.h"

namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kTakenMs = 600'000;  // longer than all deliveries of a job last
/// Pauses after each failed attempt; then it is given up.
constexpr std::array<int64_t, 5> kPausesMs = {2'000, 10'000, 60'000, 600'000, 3'600'000};

struct Delivery {
  std::string event;
  Json body;
};

Json person_found(const store::JobRecord& job, const document::Person& person) {
  Json instances = Json::array();
  for (const auto& instance : person.instances) instances.push_back({{"start", document::seconds(instance.range.start_us)}, {"end", document::seconds(instance.range.end_us)}});
  return {{"event", "person_found"}, {"job_id", job.id}, {"video_id", job.video_id}, {"person", {{"id", person.id}, {"name", person.name}}}, {"instances", instances}};
}

/// The job first, then who was found in its video.
std::vector<Delivery> deliveries(Context& context, const store::JobRecord& job) {
  const std::set<std::string> wanted = webhook_events(job.request_json);
  std::vector<Delivery> list;
  if (wanted.contains(job.state)) list.push_back({job.state, job_json(job, 0)});
  const bool has_result = (job.state == "done" || job.state == "partial") && !job.video_id.empty();
  if (!has_result || !wanted.contains("person_found")) return list;
  try {
    for (const document::Person& person : context.documents.get(job.video_id)->document.people)
      if (!person.name.empty() && !person.hidden) list.push_back({"person_found", person_found(job, person)});
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) throw;  // deleted since
  }
  return list;
}

}  // namespace

std::string sign(const std::string& secret, const std::string& body) {
  uint8_t bytes[EVP_MAX_MD_SIZE];
  unsigned count = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const uint8_t*>(body.data()), body.size(), bytes, &count);
  return hex_digits({bytes, count});
}

bool tell_webhook(Context& context) {
  const auto services = context.services.borrow();
  const auto webhook = services->take_webhook(kTakenMs);
  if (!webhook) return false;
  const auto job = context.jobs.borrow()->find(webhook->job_id);
  if (!job) return true;
  std::string problem;
  for (const Delivery& delivery : deliveries(context, *job)) {
    const std::string body = document::to_text(delivery.body);
    problem = post_json(webhook->url, body, {{"X-PrismVid-Event", delivery.event}, {"X-PrismVid-Signature", "sha256=" + sign(webhook->secret, body)}}, context.options.allow_private_urls).error;
    if (!problem.empty()) break;
  }
  const auto attempt = static_cast<size_t>(webhook->attempts);
  const int64_t pause_ms = attempt <= kPausesMs.size() ? kPausesMs[attempt - 1] : -1;
  services->settle_webhook(webhook->id, problem, pause_ms);
  if (!problem.empty()) spdlog::warn("job {}: its webhook failed, attempt {}: {}", webhook->job_id, webhook->attempts, problem);
  return true;
}

}  // namespace prismvid::server

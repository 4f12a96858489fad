#include "server/housekeeper.h"

#include <openssl/hmac.h>
#include <spdlog/spdlog.h>

#include <array>
#include <condition_variable>
#include <mutex>

#include "document/json.h"
#include "server/jobs_json.h"
#include "server/url_fetch.h"

namespace prismvid::server {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(250);
constexpr auto kTidyEvery = std::chrono::minutes(10);
constexpr int64_t kUploadSeconds = 24 * 3600;
constexpr int64_t kTakenMs = 60'000;  // longer than a delivery lasts
/// Pauses after each failed attempt; then it is given up.
constexpr std::array<int64_t, 5> kPausesMs = {2'000, 10'000, 60'000, 600'000, 3'600'000};

}  // namespace

std::string sign(const std::string& secret, const std::string& body) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned count = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(body.data()), body.size(), bytes, &count);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

bool Housekeeper::tell_one() {
  const auto services = context_.services.borrow();
  const auto webhook = services->take_webhook(kTakenMs);
  if (!webhook) return false;
  const auto job = context_.jobs.borrow()->find(webhook->job_id);
  if (!job) return true;
  const std::string body = document::to_text(job_json(*job, 0));
  const PostResult result = post_json(webhook->url, body, sign(webhook->secret, body), context_.options.allow_private_urls);
  const auto attempt = static_cast<size_t>(webhook->attempts);
  const int64_t pause_ms = attempt <= kPausesMs.size() ? kPausesMs[attempt - 1] : -1;
  services->settle_webhook(webhook->id, result.error, pause_ms);
  if (!result.error.empty()) spdlog::warn("job {}: its webhook failed, attempt {}: {}", webhook->job_id, webhook->attempts, result.error);
  return true;
}

void Housekeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  auto tidied = std::chrono::steady_clock::time_point::min();
  while (!stop.stop_requested()) {
    try {
      while (!stop.stop_requested() && tell_one()) {
      }
      const auto now = std::chrono::steady_clock::now();
      if (tidied == std::chrono::steady_clock::time_point::min() || now - tidied > kTidyEvery) {
        context_.uploads.remove_old(kUploadSeconds);
        tidied = now;
      }
    } catch (const Error& error) {
      spdlog::warn("housekeeping: {}", error.what());
    }
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

}  // namespace prismvid::server

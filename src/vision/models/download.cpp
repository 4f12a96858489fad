#include "vision/models/download.h"

#include <curl/curl.h>

#include <cstdio>
#include <memory>
#include <mutex>

#include "core/error.h"

namespace prismvid::vision {
namespace {

namespace fs = std::filesystem;

constexpr long kConnectSeconds = 20;
constexpr long kStalledSeconds = 60;
constexpr long kRangeNotSatisfiable = 416;
constexpr int kTries = 5;  // as long as each brings something

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FileDeleter {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

struct Transfer {
  std::unique_ptr<CURL, CurlDeleter> curl;
  const DownloadOptions& options;
  curl_off_t done_before = 0;
};

int on_progress(void* data, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  const auto& transfer = *static_cast<Transfer*>(data);
  if (transfer.options.progress)
    transfer.options.progress(transfer.done_before + done,
                              total > 0 ? transfer.done_before + total : 0);
  return transfer.options.stop.stop_requested() ? 1 : 0;
}

Transfer prepare(const std::string& url, const DownloadOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  Transfer transfer{std::unique_ptr<CURL, CurlDeleter>(curl_easy_init()), options};
  CURL* curl = transfer.curl.get();
  check(curl != nullptr, ErrorCode::kInternal, "libcurl could not start");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                   url.starts_with("http:") ? "https,http" : "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options.largest_bytes));
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "prismvid");
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  if (!options.bearer_token.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, options.bearer_token.c_str());
    curl_easy_setopt(curl, CURLOPT_UNRESTRICTED_AUTH, 0L);
  }
  return transfer;
}

/// One try that appends to `partial`. Writing goes through stdio, so a full disk is
/// CURLE_WRITE_ERROR.
CURLcode append(Transfer& transfer, const fs::path& partial) {
  std::error_code error;
  const auto size = fs::file_size(partial, error);
  transfer.done_before = error ? 0 : static_cast<curl_off_t>(size);
  const std::unique_ptr<std::FILE, FileDeleter> file(std::fopen(partial.c_str(), "ab"));
  check(file != nullptr, ErrorCode::kUnavailable, "cannot write '", partial.string(), "'");
  curl_easy_setopt(transfer.curl.get(), CURLOPT_WRITEDATA, file.get());
  curl_easy_setopt(transfer.curl.get(), CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(transfer.curl.get(), CURLOPT_RESUME_FROM_LARGE, transfer.done_before);
  const CURLcode code = curl_easy_perform(transfer.curl.get());
  return code == CURLE_OK && std::fflush(file.get()) != 0 ? CURLE_WRITE_ERROR : code;
}

long http_status(const Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(transfer.curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// The other side cannot go on where the last try ended: it has no ranges, or the file has changed.
bool cannot_resume(CURLcode code, const Transfer& transfer) {
  return transfer.done_before > 0 &&
         (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
          http_status(transfer) == kRangeNotSatisfiable);
}

/// The connection broke off after it had brought something.
bool broke_off(CURLcode code, const Transfer& transfer, const fs::path& partial) {
  const bool broken = code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
                      code == CURLE_OPERATION_TIMEDOUT || code == CURLE_HTTP2_STREAM;
  std::error_code error;
  return broken && static_cast<curl_off_t>(fs::file_size(partial, error)) > transfer.done_before &&
         !error;
}

[[noreturn]] void fail_download(CURLcode code, const Transfer& transfer, const std::string& url) {
  if (code == CURLE_ABORTED_BY_CALLBACK)
    fail(ErrorCode::kCancelled, "download of ", url, " was stopped");
  if (code == CURLE_HTTP_RETURNED_ERROR)
    throw HttpRefusal(http_status(transfer), "download of " + url +
                                                 " was refused with HTTP status " +
                                                 std::to_string(http_status(transfer)));
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
      code == CURLE_OPERATION_TIMEDOUT)
    fail(ErrorCode::kUnavailable, url, " cannot be reached (", curl_easy_strerror(code),
         "): when this machine is offline, fetch the file elsewhere and run 'prismvid models "
         "install' with its path");
  fail(ErrorCode::kUnavailable, "download of ", url, " failed: ", curl_easy_strerror(code));
}

}  // namespace

void download(const std::string& url, const fs::path& file, const DownloadOptions& options) {
  const fs::path partial = file.string() + options.partial_suffix;
  Transfer transfer = prepare(url, options);
  CURLcode code = append(transfer, partial);
  if (cannot_resume(code, transfer)) {
    fs::remove(partial);
    code = append(transfer, partial);
  }
  for (int tries = 1; tries < kTries && broke_off(code, transfer, partial); ++tries)
    code = append(transfer, partial);
  if (code != CURLE_OK) fail_download(code, transfer, url);
  std::error_code error;
  fs::rename(partial, file, error);
  check(!error, ErrorCode::kUnavailable, "cannot write '", file.string(), "': ", error.message());
}

}  // namespace prismvid::vision

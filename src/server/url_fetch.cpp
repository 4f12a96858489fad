#include "server/url_fetch.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "server/http.h"
#include "server/uploads.h"
#include "server/url_rules.h"

namespace prismvid::server {
namespace {

namespace fs = std::filesystem;

constexpr long kMostRedirects = 5;
constexpr long kConnectSeconds = 20;
constexpr long kStalledSeconds = 60;
constexpr long kPostSeconds = 20;

struct Transfer {
  const FetchOptions& options;
  std::stop_token stop;
  std::FILE* file = nullptr;
  int64_t received = 0;
  bool refused = false;  // an address was not public
};

/// libcurl asks for each connection, after the name was resolved and after every redirect.
curl_socket_t open_socket(void* state, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(state);
  if (!transfer.options.allow_private && !is_public_address(address->addr)) {
    transfer.refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t take_bytes(char* bytes, size_t size, size_t count, void* state) {
  auto& transfer = *static_cast<Transfer*>(state);
  transfer.received += static_cast<int64_t>(size * count);
  if (transfer.received > transfer.options.most_bytes) return 0;
  return std::fwrite(bytes, size, count, transfer.file);
}

size_t drop_bytes(char*, size_t size, size_t count, void*) { return size * count; }

int go_on(void* state, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(state)->stop.stop_requested() ? 1 : 0;
}

using Curl = std::unique_ptr<CURL, void (*)(CURL*)>;

Curl make_curl(const std::string& url, Transfer& transfer) {
  Curl curl(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  // A proxy would connect where this program may not.
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(curl.get(), CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "PrismVid");
  return curl;
}

HttpError private_address(const std::string& url) {
  return HttpError(403, "private_address", "'" + url + "' leads to an address that is not public: start the service with "
                                           "--allow-private-urls to fetch from your own network");
}

/// The last part of the URL's path, for people.
std::string name_of(const std::string& url) {
  const std::string path = url.substr(0, url.find_first_of("?#"));
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.empty() || name.find('.') == std::string::npos ? "video" : name;
}

}  // namespace

fs::path fetch_url(const std::string& url, const fs::path& folder, const FetchOptions& options, std::stop_token stop) {
  check_url(url);
  const fs::path place = folder / ("u_" + random_hex());
  fs::create_directories(place);
  const fs::path path = place / name_of(url);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), &std::fclose);
  check(file != nullptr, ErrorCode::kUnavailable, "cannot store a download in '", place.string(), "'");
  Transfer transfer{options, stop, file.get()};
  const Curl curl = make_curl(url, transfer);
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, kMostRedirects);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, go_on);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &transfer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK && std::fflush(file.get()) == 0) return path;
  std::error_code ignored;
  fs::remove_all(place, ignored);
  check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
  if (transfer.refused) throw private_address(url);
  if (transfer.received > options.most_bytes)
    throw HttpError(413, "too_large", "'" + url + "' has more than " + std::to_string(options.most_bytes) + " bytes");
  throw HttpError(422, "unreadable", "cannot fetch '" + url + "': " + curl_easy_strerror(code));
}

PostResult post_json(const std::string& url, const std::string& body, const Fields& fields, bool allow_private) {
  const FetchOptions options{allow_private, INT64_MAX};
  Transfer transfer{options, {}};
  const Curl curl = make_curl(url, transfer);
  curl_slist* headers = curl_slist_append(nullptr, "Content-Type: application/json");
  for (const auto& [name, value] : fields) headers = curl_slist_append(headers, (name + ": " + value).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kPostSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, drop_bytes);
  const CURLcode code = curl_easy_perform(curl.get());
  curl_slist_free_all(headers);
  if (transfer.refused) return {0, "the address is not public"};
  if (code != CURLE_OK) return {0, curl_easy_strerror(code)};
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return {static_cast<int>(status), status / 100 == 2 ? "" : "the answer was " + std::to_string(status)};
}

}  // namespace prismvid::server

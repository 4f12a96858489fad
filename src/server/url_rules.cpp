#include "server/url_rules.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "server/http.h"

namespace prismvid::server {
namespace {

constexpr size_t kLongestUrl = 4096;

struct Network {
  const char* address;
  int bits;
};

constexpr Network kReserved4[] = {
    {"0.0.0.0", 8},      {"10.0.0.0", 8},     {"100.64.0.0", 10},  {"127.0.0.0", 8},
    {"169.254.0.0", 16}, {"172.16.0.0", 12},  {"192.0.0.0", 24},   {"192.0.2.0", 24},
    {"192.88.99.0", 24}, {"192.168.0.0", 16}, {"198.18.0.0", 15},  {"198.51.100.0", 24},
    {"203.0.113.0", 24}, {"224.0.0.0", 4},    {"240.0.0.0", 4}};
// Only 2000::/3 is given out; of it, these are not hosts of their own.
constexpr Network kReserved6[] = {{"2001::", 23}, {"2001:db8::", 32}, {"2002::", 16}, {"3fff::", 20}};

bool same_bits(const unsigned char* a, const unsigned char* b, int bits) {
  const int whole = bits / 8, rest = bits % 8;
  if (std::memcmp(a, b, static_cast<size_t>(whole)) != 0) return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool is_public4(const unsigned char* bytes) {
  for (const Network& network : kReserved4) {
    in_addr known{};
    ::inet_pton(AF_INET, network.address, &known);
    if (same_bits(bytes, reinterpret_cast<const unsigned char*>(&known), network.bits)) return false;
  }
  return true;
}

bool is_public6(const in6_addr& address) {
  const unsigned char* bytes = address.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return is_public4(bytes + 12);
  constexpr unsigned char kTranslated[12] = {0, 0x64, 0xff, 0x9b};  // 64:ff9b::/96
  if (std::memcmp(bytes, kTranslated, sizeof kTranslated) == 0) return is_public4(bytes + 12);
  if ((bytes[0] & 0xe0) != 0x20) return false;
  for (const Network& network : kReserved6) {
    in6_addr known{};
    ::inet_pton(AF_INET6, network.address, &known);
    if (same_bits(bytes, known.s6_addr, network.bits)) return false;
  }
  return true;
}

}  // namespace

void check_url(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parts(curl_url(), curl_url_cleanup);
  const bool parsed = url.size() <= kLongestUrl && curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  const auto part = [&](CURLUPart which) -> std::string {
    char* text = nullptr;
    if (!parsed || curl_url_get(parts.get(), which, &text, 0) != CURLUE_OK) return "";
    const std::string copy = text;
    curl_free(text);
    return copy;
  };
  const std::string scheme = part(CURLUPART_SCHEME);
  if (!parsed || (scheme != "http" && scheme != "https") || part(CURLUPART_HOST).empty())
    throw HttpError(400, "invalid_url", "'url' must be an http or https URL");
  if (!part(CURLUPART_USER).empty() || !part(CURLUPART_PASSWORD).empty())
    throw HttpError(400, "invalid_url", "'url' must not hold a user name or password");
}

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return is_public4(reinterpret_cast<const unsigned char*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr));
  if (address.sa_family == AF_INET6) return is_public6(reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return false;
}

}  // namespace prismvid::server

#include "server/url_rules.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "server/http.h"

namespace prismvid::server {
namespace {

bool is_public(const char* text) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  if (::inet_pton(AF_INET, text, &four.sin_addr) == 1) return is_public_address(reinterpret_cast<sockaddr&>(four));
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &six.sin6_addr), 1) << text;
  return is_public_address(reinterpret_cast<sockaddr&>(six));
}

TEST(PublicAddresses, AreOfTheOpenInternet) {
  for (const char* text : {"8.8.8.8", "100.63.255.255", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.255",
                           "2a00:1450:4001::1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"})
    EXPECT_TRUE(is_public(text)) << text;
}

TEST(PublicAddresses, AreNotThoseOfThisMachineOrItsNetworks) {
  for (const char* text :
       {"127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "198.18.0.1", "203.0.113.5", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "2001:db8::1", "2002:7f00:1::"})
    EXPECT_FALSE(is_public(text)) << text;
}

TEST(Urls, OnlyPlainWebAddressesAreTaken) {
  EXPECT_NO_THROW(check_url("https://example.org/a.mp4?x=1"));
  for (const char* url : {"", "a.mp4", "/etc/passwd", "file:///etc/passwd", "ftp://example.org/a", "gopher://x/", "http://",
                          "http://user:secret@example.org/a.mp4"})
    EXPECT_THROW(check_url(url), HttpError) << url;
}

}  // namespace
}  // namespace prismvid::server

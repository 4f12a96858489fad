#pragma once

#include <string>

struct sockaddr;

namespace prismvid::server {

/// Throws HttpError 400 for anything but an http or https URL with a host and without a password.
void check_url(const std::string& url);

/// Whether an address is of the open internet: not this machine, a private network, a link, a
/// multicast group or otherwise reserved (IANA's special-purpose registries).
bool is_public_address(const sockaddr& address);

}  // namespace prismvid::server

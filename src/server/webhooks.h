#pragma once

#include <string>

#include "server/service.h"

namespace prismvid::server {

/// Tells the next job that has ended to whoever asked for it; false where none is due. One POST for
/// the job, and one for each named person found; what fails is sent again later, whole.
bool tell_webhook(Context& context);

/// HMAC-SHA256 of `body` in lower-case hexadecimal digits.
std::string sign(const std::string& secret, const std::string& body);

}  // namespace prismvid::server

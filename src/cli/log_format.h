#pragma once

#include <string>

namespace prismvid::cli {

/// What is logged from now on, and how: "text", or "json" with one object a line on standard error.
void set_log_format(const std::string& format);

}  // namespace prismvid::cli

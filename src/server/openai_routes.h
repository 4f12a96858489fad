#pragma once

#include "server/service.h"

namespace prismvid::server {

/// OpenAI's interfaces. Built with PRISMVID_MLX only.
void add_openai_routes(Router& router, Context& context);

}  // namespace prismvid::server

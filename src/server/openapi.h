#pragma once

#include "document/document.h"
#include "server/router.h"

namespace prismvid::server {

/// The description of every route as OpenAPI 3.1, made from the table that answers them.
document::Json openapi(const Router& router);

}  // namespace prismvid::server

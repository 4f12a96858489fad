#pragma once

#include "document/document.h"

namespace prismvid::server {

class DocumentCache;

/// How long an analysis of so many seconds of film takes here, from what the last ones took: the
/// median of each stage's time for a second of film. {"seconds": null} before there are any.
document::Json estimate(double duration_seconds, bool deep, DocumentCache& documents);

}  // namespace prismvid::server

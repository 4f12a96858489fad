#pragma once

#include "document/document.h"
#include "store/job_store.h"

namespace prismvid::server {

/// The job object of the interface.
document::Json job_json(const store::JobRecord& job, int64_t queue_position);

/// Where its parts are: job_id, video_id, status_url, events_url, result_url.
document::Json accepted_json(const store::JobRecord& job);

}  // namespace prismvid::server

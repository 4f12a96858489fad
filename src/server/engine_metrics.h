#pragma once

#include "server/prometheus.h"
#include "server/shared_models.h"

namespace prismvid::server {

/// What the engine of the model in memory has done since that was loaded; nothing where none is.
void write_engine_metrics(SharedModels& models, PrometheusText& out);

}  // namespace prismvid::server

#pragma once

#include "server/prometheus.h"
#include "server/shared_models.h"

namespace prismvid::server {

/// What the engine of the model in memory has done since that was loaded; nothing where none is.
void write_engine_metrics(SharedModels& models, PrometheusText& out);

/// The same in short, for people: what waits, what is worked on, memory. An empty object where no
/// model is loaded.
document::Json engine_health(SharedModels& models);

}  // namespace prismvid::server

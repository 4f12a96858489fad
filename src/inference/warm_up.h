#pragma once

#include "inference/loaded_model.h"

// Inside inference only.
namespace prismvid::inference {

/// Answers a few tokens about a picture, about a video and about words alone, so that what a
/// device's libraries load and compile when first used is there before somebody waits. Adds its
/// time to model.load_ms.
void warm_up(LoadedModel& model);

}  // namespace prismvid::inference

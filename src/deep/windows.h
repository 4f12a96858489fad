#pragma once

#include <span>
#include <vector>

#include "deep/feeding.h"
#include "document/document.h"

namespace prismvid::deep {

/// Parts of a video that are each shown to the model at once: runs of whole shots as long as the
/// feeding lets them be. A shot longer than that is cut into equal parts. They tile the range of
/// the shots.
std::vector<TimeRange> cut_windows(std::span<const document::DocumentShot> shots,
                                   const Feeding& feeding);

}  // namespace prismvid::deep

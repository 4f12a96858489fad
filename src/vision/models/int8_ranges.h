#pragma once

#include "vision/models/manifest.h"
#include "vision/network/activation_ranges.h"

namespace prismvid::vision {

/// What was measured to enter those convolutions of a model that may be computed in int8, by the checksum of its first file
/// (int8_ranges.json, made by tools/measure_ranges.cpp). Empty for models that nobody measured: they run as they are.
const ActivationRanges& int8_ranges(const ModelManifest& model);

}  // namespace prismvid::vision

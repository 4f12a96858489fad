#pragma once

#include <string>
#include <vector>

#include "vision/network/activation_ranges.h"

namespace ov {
class Model;
}

namespace prismvid::vision {

/// Has OpenVINO compute those convolutions of `model` that `ranges` names in int8: what enters them is rounded to 256 levels of
/// its range, weights to 255 of each output channel's. Throws Error(kModel) where a name is no convolution with fixed weights.
void quantize_convolutions(ov::Model& model, const ActivationRanges& ranges);

/// Gives `model` two more outputs for each convolution that quantize_convolutions() could take: the least and the greatest value
/// that enters it. Returns their names in the order of these outputs.
std::vector<std::string> observe_convolutions(ov::Model& model);

}  // namespace prismvid::vision

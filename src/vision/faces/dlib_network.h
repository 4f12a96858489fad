#pragma once

#include <memory>

#include "vision/faces/dlib_weights.h"
#include "vision/network/network.h"

namespace prismvid::vision {

/// The network for one picture size, run by our backend. Input: (1, rows, columns, 3) floats, each
/// channel (value - mean) / 256. Output: (1, channels, rows, columns), or (1, values) after a full
/// layer.
std::unique_ptr<Network> compile_dlib_network(const DlibNetwork& network, int rows, int columns,
                                              const NetworkOptions& options);

}  // namespace prismvid::vision

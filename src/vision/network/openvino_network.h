#pragma once

#include <memory>

#include "vision/network/network.h"

namespace ov {
class Model;
}

namespace prismvid::vision {

/// A Network around a graph built in memory, for weights that no ONNX file carries (dlib's, say).
std::unique_ptr<Network> compile_openvino(const std::shared_ptr<ov::Model>& model,
                                          const NetworkOptions& options);

}  // namespace prismvid::vision

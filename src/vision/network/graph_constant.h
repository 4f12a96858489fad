#pragma once

#include <openvino/opsets/opset13.hpp>
#include <vector>

namespace prismvid::vision {

/// Fixed numbers in a network's graph.
inline ov::Output<ov::Node> constant(const ov::Shape& shape, const std::vector<float>& values) {
  return ov::opset13::Constant::create(ov::element::f32, shape, values);
}

}  // namespace prismvid::vision

#include "vision/network/quantize.h"

#include <algorithm>
#include <cmath>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "core/error.h"
#include "vision/network/graph_constant.h"

namespace prismvid::vision {
namespace {

namespace op = ov::opset13;
using Value = ov::Output<ov::Node>;

constexpr size_t kActivationLevels = 256;
constexpr size_t kWeightLevels = 255;  // so that 0 is one of them

/// The node as a convolution with fixed weights, or null. Those of single channels gain nothing from int8 and lose most.
std::shared_ptr<op::Convolution> as_convolution(const std::shared_ptr<ov::Node>& node) {
  auto convolution = std::dynamic_pointer_cast<op::Convolution>(node);
  const bool fixed = convolution && ov::is_type<op::Constant>(convolution->get_input_node_ptr(1));
  return fixed ? convolution : nullptr;
}

Value rounded_to_levels(const Value& value, const Value& low, const Value& high, size_t levels) {
  return std::make_shared<op::FakeQuantize>(value, low, high, low, high, levels);
}

/// The range stretched to hold 0 as one of its levels: paddings and what a ReLU cuts off stay exact.
ValueRange with_exact_zero(ValueRange range) {
  range = {std::min(range.low, 0.0f), std::max(range.high, 1e-6f)};
  const float step = (range.high - range.low) / static_cast<float>(kActivationLevels - 1);
  const float below = std::round(-range.low / step);
  return {-below * step, (static_cast<float>(kActivationLevels - 1) - below) * step};
}

Value rounded_activations(const Value& value, ValueRange range) {
  range = with_exact_zero(range);
  return rounded_to_levels(value, constant({}, {range.low}), constant({}, {range.high}), kActivationLevels);
}

Value rounded_weights(const Value& weights) {
  const auto values = ov::as_type_ptr<op::Constant>(weights.get_node_shared_ptr())->cast_vector<float>();
  const size_t channels = weights.get_shape()[0], size = values.size() / channels;
  std::vector<float> low(channels), high(channels);
  for (size_t channel = 0; channel < channels; ++channel) {
    float largest = 1e-9f;
    for (size_t i = 0; i < size; ++i) largest = std::max(largest, std::abs(values[channel * size + i]));
    low[channel] = -largest;
    high[channel] = largest;
  }
  const ov::Shape by_channel{channels, 1, 1, 1};
  return rounded_to_levels(constant(weights.get_shape(), values), constant(by_channel, low), constant(by_channel, high), kWeightLevels);
}

}  // namespace

void quantize_convolutions(ov::Model& model, const ActivationRanges& ranges) {
  size_t found = 0;
  for (const auto& node : model.get_ordered_ops()) {
    const auto range = ranges.find(node->get_friendly_name());
    const auto convolution = as_convolution(node);
    if (range == ranges.end() || !convolution) continue;
    convolution->input(0).replace_source_output(rounded_activations(convolution->input_value(0), range->second));
    convolution->input(1).replace_source_output(rounded_weights(convolution->input_value(1)));
    ++found;
  }
  model.validate_nodes_and_infer_types();
  check(found == ranges.size(), ErrorCode::kModel, "of ", ranges.size(), " convolutions to be computed in int8 the network has ", found);
}

std::vector<std::string> observe_convolutions(ov::Model& model) {
  const Value all_axes = op::Constant::create(ov::element::i64, {4}, {0, 1, 2, 3});
  std::vector<std::string> names;
  ov::ResultVector results;
  for (const auto& node : model.get_ordered_ops()) {
    const auto convolution = as_convolution(node);
    if (!convolution) continue;
    const Value entering = convolution->input_value(0);
    results.push_back(std::make_shared<op::Result>(std::make_shared<op::ReduceMin>(entering, all_axes)));
    results.push_back(std::make_shared<op::Result>(std::make_shared<op::ReduceMax>(entering, all_axes)));
    names.push_back(convolution->get_friendly_name());
  }
  model.add_results(results);
  return names;
}

}  // namespace prismvid::vision

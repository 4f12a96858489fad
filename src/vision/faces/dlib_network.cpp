#include "vision/faces/dlib_network.h"

#include <map>
#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "core/error.h"
#include "vision/network/graph_constant.h"
#include "vision/network/openvino_network.h"

namespace prismvid::vision {
namespace {

namespace op = ov::opset13;
using Value = ov::Output<ov::Node>;

Value integers(const std::vector<int64_t>& values) {
  return op::Constant::create(ov::element::i64, {values.size()}, values);
}

Value per_channel(const std::vector<float>& values) {
  return constant({1, values.size(), 1, 1}, values);
}

Value add_convolution(const Value& input, const DlibLayer& layer, const std::string& name) {
  const size_t outputs = layer.bias.size();
  const size_t inputs = input.get_shape()[1];
  const auto window = static_cast<size_t>(layer.window);
  check(layer.weights.size() == outputs * inputs * window * window, ErrorCode::kModel,
        "dlib convolution of ", layer.weights.size(), " weights does not fit ", inputs,
        " input channels");
  const auto stride = static_cast<size_t>(layer.stride);
  const ov::CoordinateDiff padding{layer.padding, layer.padding};
  const auto sum = std::make_shared<op::Convolution>(
      input, constant({outputs, inputs, window, window}, layer.weights),
      ov::Strides{stride, stride}, padding, padding, ov::Strides{1, 1});
  sum->set_friendly_name(name);
  return std::make_shared<op::Add>(sum, per_channel(layer.bias));
}

Value add_affine(const Value& input, const DlibLayer& layer) {
  const Value scaled = std::make_shared<op::Multiply>(input, per_channel(layer.weights));
  return std::make_shared<op::Add>(scaled, per_channel(layer.bias));
}

Value add_max_pool(const Value& input, const DlibLayer& layer) {
  const auto stride = static_cast<size_t>(layer.stride), window = static_cast<size_t>(layer.window),
             padding = static_cast<size_t>(layer.padding);
  return std::make_shared<op::MaxPool>(input, ov::Strides{stride, stride}, ov::Strides{1, 1},
                                       ov::Shape{padding, padding}, ov::Shape{padding, padding},
                                       ov::Shape{window, window})
      ->output(0);
}

Value add_average_pool(const Value& input, const DlibLayer& layer) {
  if (layer.window == 0) return std::make_shared<op::ReduceMean>(input, integers({2, 3}), true);
  const auto stride = static_cast<size_t>(layer.stride), window = static_cast<size_t>(layer.window),
             padding = static_cast<size_t>(layer.padding);
  return std::make_shared<op::AvgPool>(input, ov::Strides{stride, stride},
                                       ov::Shape{padding, padding}, ov::Shape{padding, padding},
                                       ov::Shape{window, window}, true);
}

/// Grows a value with zeros at the ends of its axes.
Value pad_to(const Value& input, const ov::Shape& shape) {
  std::vector<int64_t> missing(shape.size());
  for (size_t i = 0; i < shape.size(); ++i)
    missing[i] = static_cast<int64_t>(shape[i] - input.get_shape()[i]);
  if (missing == std::vector<int64_t>(shape.size())) return input;
  return std::make_shared<op::Pad>(input, integers(std::vector<int64_t>(shape.size())),
                                   integers(missing), constant({}, {0.0f}),
                                   ov::op::PadMode::CONSTANT);
}

Value add_sum(const Value& a, const Value& b) {
  ov::Shape shape = a.get_shape();
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = std::max(shape[i], b.get_shape()[i]);
  return std::make_shared<op::Add>(pad_to(a, shape), pad_to(b, shape));
}

Value add_full(const Value& input, const DlibLayer& layer) {
  const size_t inputs = input.get_shape()[1];
  check(layer.weights.size() % inputs == 0, ErrorCode::kModel, "dlib full layer does not fit ",
        inputs, " inputs");
  const Value flat = std::make_shared<op::Reshape>(input, integers({1, -1}), false);
  return std::make_shared<op::MatMul>(
      flat, constant({inputs, layer.weights.size() / inputs}, layer.weights));
}

/// What layers need of those before them.
struct Graph {
  std::map<int, Value> named;  // the values of the tags
  int convolutions = 0;
};

Value add_layer(const Value& value, const DlibLayer& layer, Graph& graph) {
  switch (layer.kind) {
    case DlibLayerKind::kConvolution:
      return add_convolution(value, layer, "convolution_" + std::to_string(graph.convolutions++));
    case DlibLayerKind::kAffine:
      return add_affine(value, layer);
    case DlibLayerKind::kRelu:
      return std::make_shared<op::Relu>(value);
    case DlibLayerKind::kMaxPool:
      return add_max_pool(value, layer);
    case DlibLayerKind::kAveragePool:
      return add_average_pool(value, layer);
    case DlibLayerKind::kFullyConnected:
      return add_full(value, layer);
    case DlibLayerKind::kTag:
      return graph.named[layer.tag] = value;
    case DlibLayerKind::kSkip:
      return graph.named.at(layer.tag);
    case DlibLayerKind::kAddPrevious:
      return add_sum(value, graph.named.at(layer.tag));
  }
  fail(ErrorCode::kInternal, "unknown dlib layer");
}

}  // namespace

std::unique_ptr<Network> compile_dlib_network(const DlibNetwork& network, int rows, int columns,
                                              const NetworkOptions& options) {
  const ov::Shape shape{1, static_cast<size_t>(rows), static_cast<size_t>(columns), 3};
  const auto input = std::make_shared<op::Parameter>(ov::element::f32, shape);
  Value value = std::make_shared<op::Transpose>(input, integers({0, 3, 1, 2}));
  Graph graph;
  for (const DlibLayer& layer : network.layers) value = add_layer(value, layer, graph);
  const auto model =
      std::make_shared<ov::Model>(ov::OutputVector{value}, ov::ParameterVector{input});
  return compile_openvino(model, options);
}

}  // namespace prismvid::vision

#include "vision/text/recognition_network.h"

#include <openvino/openvino.hpp>
#include <openvino/opsets/opset13.hpp>

#include "core/error.h"
#include "vision/network/openvino_network.h"

namespace prismvid::vision {
namespace {

std::shared_ptr<ov::Model> with_best_classes(const std::shared_ptr<ov::Model>& model) {
  namespace op = ov::opset13;
  const auto probabilities = model->get_results().front()->input_value(0);
  const auto best =
      std::make_shared<op::TopK>(probabilities, op::Constant::create(ov::element::i64, {}, {1}), 2,
                                 op::TopK::Mode::MAX, op::TopK::SortType::NONE, ov::element::i32);
  const auto classes = std::make_shared<op::Convert>(best->output(1), ov::element::f32);
  return std::make_shared<ov::Model>(ov::OutputVector{best->output(0), classes->output(0)},
                                     model->get_parameters());
}

}  // namespace

std::unique_ptr<Network> load_recognition_network(const std::filesystem::path& file, size_t classes,
                                                  const NetworkOptions& options) {
  check(std::filesystem::exists(file), ErrorCode::kModel, "model file '", file.string(),
        "' does not exist");
  try {
    const auto model = ov::Core().read_model(file.string());
    const ov::PartialShape shape = model->output(0).get_partial_shape();
    check(shape.rank().is_static() && shape.size() == 3 && shape[2].is_static() &&
              shape[2].get_length() == static_cast<int64_t>(classes),
          ErrorCode::kModel, "model file '", file.string(), "' gives ", shape.to_string(),
          ", its list of characters asks for [?,?,", classes, "]");
    return compile_openvino(with_best_classes(model), options);
  } catch (const ov::Exception& error) {
    fail(ErrorCode::kModel, "model file '", file.string(), "' cannot be loaded: ", error.what());
  }
}

}  // namespace prismvid::vision

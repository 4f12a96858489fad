#include "vision/network/openvino_network.h"

#include <algorithm>
#include <numeric>
#include <openvino/core/preprocess/pre_post_process.hpp>
#include <openvino/openvino.hpp>

#include "core/cpu.h"
#include "core/error.h"
#include "vision/network/quantize.h"

namespace prismvid::vision {
namespace {

/// One core for the process: it owns the plug-in and its thread pool.
ov::Core& core() {
  static ov::Core instance;
  return instance;
}

/// Asked for every cache key, for which loading OpenVINO's plug-in would take longer than the rest of an answer from the database.
bool cpu_has_bf16() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16");
#else
  const auto capabilities = core().get_property("CPU", ov::device::capabilities);
  return std::find(capabilities.begin(), capabilities.end(), ov::device::capability::BF16) != capabilities.end();
#endif
}

/// Without these instructions int8 saves little, and sums of two products may overflow.
bool cpu_has_int8() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
#else
  return false;
#endif
}

ov::element::Type element_type(Precision precision) {
  return precision == Precision::kFast && cpu_has_bf16() ? ov::element::bf16 : ov::element::f32;
}

Shape declared_shape(const ov::PartialShape& partial) {
  Shape shape;
  for (const auto& dimension : partial)
    shape.push_back(dimension.is_static() ? dimension.get_length() : -1);
  return shape;
}

void fix_input_shapes(ov::Model& model, const NetworkOptions& options) {
  if (!options.fix_shape) return;
  std::map<size_t, ov::PartialShape> fixed;
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const ov::PartialShape declared = model.input(i).get_partial_shape();
    if (declared.is_static() || declared.rank().is_dynamic()) continue;
    const Shape shape = options.fix_shape(declared_shape(declared));
    fixed[i] = ov::PartialShape(std::vector<ov::Dimension>(shape.begin(), shape.end()));
  }
  if (!fixed.empty()) model.reshape(fixed);
}

/// A copy of the model whose inputs and outputs are all f32, and that keeps the tensors' names.
std::shared_ptr<ov::Model> with_float_ports(const std::shared_ptr<ov::Model>& model) {
  auto is_float = [](const auto& port) { return port.get_element_type() == ov::element::f32; };
  const auto inputs = model->inputs();
  const auto outputs = model->outputs();
  if (std::all_of(inputs.begin(), inputs.end(), is_float) &&
      std::all_of(outputs.begin(), outputs.end(), is_float))
    return model;
  ov::preprocess::PrePostProcessor ports(model->clone());
  for (size_t i = 0; i < inputs.size(); ++i)
    ports.input(i).tensor().set_element_type(ov::element::f32);
  for (size_t i = 0; i < outputs.size(); ++i)
    ports.output(i).tensor().set_element_type(ov::element::f32);
  return ports.build();
}

class OpenVinoNetwork : public Network {
 public:
  OpenVinoNetwork(std::shared_ptr<ov::Model> model, const NetworkOptions& options)
      : model_(std::move(model)) {
    const int threads = options.threads > 0 ? options.threads : available_threads();
    fix_input_shapes(*model_, options);
    if (options.observed != nullptr) {
      observed_ = options.observed;
      observed_names_ = observe_convolutions(*model_);
    } else if (options.precision == Precision::kFast && cpu_has_int8()) {
      quantize_convolutions(*model_, options.int8_ranges);
    }
    // Pinned, every network would take the first cores, and those that run side by side the same ones.
    compiled_ = core().compile_model(with_float_ports(model_), "CPU",
                                     ov::hint::inference_precision(element_type(options.precision)),
                                     ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY),
                                     ov::inference_num_threads(threads), ov::hint::enable_cpu_pinning(false));
    request_ = compiled_.create_infer_request();
  }

  std::vector<std::string> input_names() const override { return names(compiled_.inputs()); }
  std::vector<std::string> output_names() const override { return names(compiled_.outputs()); }

  Shape input_shape(size_t index) const override {
    const ov::PartialShape declared = compiled_.input(index).get_partial_shape();
    return declared.rank().is_static() ? declared_shape(declared) : Shape{};
  }

  std::string metadata(const std::string& key) const override {
    return model_->has_rt_info("framework", key)
               ? model_->get_rt_info<std::string>("framework", key)
               : std::string();
  }

  std::vector<Tensor> run(std::span<const TensorView> inputs) override {
    check(inputs.size() == compiled_.inputs().size(), ErrorCode::kModel, "the model takes ",
          compiled_.inputs().size(), " inputs, got ", inputs.size());
    try {
      for (size_t i = 0; i < inputs.size(); ++i) request_.set_input_tensor(i, borrow(inputs[i]));
      request_.infer();
      if (observed_ != nullptr) observe();
      return outputs();
    } catch (const ov::Exception& error) {
      fail(ErrorCode::kModel, "the model could not run on its input: ", error.what());
    }
  }

 private:
  static std::vector<std::string> names(const std::vector<ov::Output<const ov::Node>>& ports) {
    std::vector<std::string> result;
    for (const auto& port : ports)
      result.push_back(port.get_names().empty() ? std::string() : port.get_any_name());
    return result;
  }

  static ov::Tensor borrow(const TensorView& input) {
    check(element_count(input.shape) == static_cast<int64_t>(input.data.size()),
          ErrorCode::kInternal, "tensor of ", input.data.size(), " floats does not fill its shape");
    const ov::Shape shape(input.shape.begin(), input.shape.end());
    return {ov::element::f32, shape, const_cast<float*>(input.data.data())};
  }

  size_t own_outputs() const { return compiled_.outputs().size() - 2 * observed_names_.size(); }

  void observe() {
    const auto value = [&](size_t output) { return *request_.get_output_tensor(output).data<const float>(); };
    size_t output = own_outputs();
    for (const std::string& name : observed_names_) {
      const float low = value(output++), high = value(output++);
      ValueRange& range = observed_->try_emplace(name, ValueRange{low, high}).first->second;
      range = {std::min(range.low, low), std::max(range.high, high)};
    }
  }

  std::vector<Tensor> outputs() {
    std::vector<Tensor> result;
    for (size_t i = 0; i < own_outputs(); ++i) {
      const ov::Tensor tensor = request_.get_output_tensor(i);
      const float* data = tensor.data<const float>();
      const ov::Shape shape = tensor.get_shape();
      result.push_back({Shape(shape.begin(), shape.end()), {data, data + tensor.get_size()}});
    }
    return result;
  }

  std::shared_ptr<ov::Model> model_;
  ov::CompiledModel compiled_;
  ov::InferRequest request_;
  ActivationRanges* observed_ = nullptr;
  std::vector<std::string> observed_names_;
};

}  // namespace

int64_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::unique_ptr<Network> compile_openvino(const std::shared_ptr<ov::Model>& model,
                                          const NetworkOptions& options) {
  return std::make_unique<OpenVinoNetwork>(model, options);
}

std::unique_ptr<Network> load_network(const std::filesystem::path& file,
                                      const NetworkOptions& options) {
  std::error_code error;
  check(std::filesystem::is_regular_file(file, error), ErrorCode::kModel, "model file '",
        file.string(), "' does not exist or is not a file");
  try {
    return compile_openvino(core().read_model(file.string()), options);
  } catch (const Error& problem) {
    fail(problem.code(), "model file '", file.string(), "': ", problem.what());
  } catch (const std::exception& problem) {
    fail(ErrorCode::kModel, "model file '", file.string(), "' cannot be loaded: ", problem.what());
  }
}

std::string backend_name(Precision precision, bool has_int8) {
  const std::string version = ov::get_openvino_version().buildNumber;
  const bool uses_int8 = has_int8 && precision == Precision::kFast && cpu_has_int8();
  return "openvino-" + version.substr(0, version.find('-')) + "/cpu/" + (uses_int8 ? "int8+" : "") +
         element_type(precision).to_string();
}

}  // namespace prismvid::vision

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vision/network/activation_ranges.h"

namespace prismvid::vision {

using Shape = std::vector<int64_t>;

/// Borrowed input: row-major floats of `shape`.
struct TensorView {
  Shape shape;
  std::span<const float> data;
};

/// Owned output: row-major floats of `shape`.
struct Tensor {
  Shape shape;
  std::vector<float> data;
};

int64_t element_count(const Shape& shape);

enum class Precision {
  kFast,   // int8 where the CPU and the network can, else bf16 where the CPU computes it natively, else f32
  kExact,  // f32
};

struct NetworkOptions {
  Precision precision = Precision::kFast;
  int threads = 0;  // 0 = all that this process may use
  /// Asked for the shape of each input that may vary, by its declared shape (-1 = any): static
  /// shapes run faster.
  std::function<Shape(const Shape& declared)> fix_shape = {};
  /// Convolutions that kFast computes in int8, where the CPU has instructions for it; none: the whole network as it is.
  ActivationRanges int8_ranges = {};
  /// Where set, what each call puts into the convolutions widens these, and nothing is computed in int8: how int8_ranges are found.
  ActivationRanges* observed = nullptr;
};

/// A loaded neural network: the seam behind which OpenVINO stands and ONNX Runtime or Core ML can
/// follow. Inputs and outputs are floats whatever the file declares: integers (sizes, class ids)
/// are converted. Not thread-safe: one caller at a time.
class Network {
 public:
  virtual ~Network() = default;
  virtual std::vector<std::string> input_names() const = 0;
  virtual std::vector<std::string> output_names() const = 0;
  /// Declared shape of input `index`; -1 where it may vary.
  virtual Shape input_shape(size_t index) const = 0;
  /// A string the model file carries under `key`, empty when it has none (ONNX metadata_props).
  virtual std::string metadata(const std::string& key) const = 0;
  /// One input a declared input, in order; outputs in declared order. Throws Error(kModel) on
  /// shapes the model refuses.
  virtual std::vector<Tensor> run(std::span<const TensorView> inputs) = 0;
};

/// Loads an ONNX or OpenVINO IR file; throws Error(kModel) saying what is wrong with it.
std::unique_ptr<Network> load_network(const std::filesystem::path& file,
                                      const NetworkOptions& options = {});

/// Name and version of the backend, part of every cache key: "openvino-2026.4.1/cpu/bf16". `has_int8`: some network has
/// NetworkOptions::int8_ranges.
std::string backend_name(Precision precision, bool has_int8 = false);

}  // namespace prismvid::vision

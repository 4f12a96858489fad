#include "nn/weights.h"

#include <sstream>

#include "core/error.h"

namespace prismvid::nn {
namespace {

bool is_float(const mx::array& tensor) {
  return mx::issubdtype(tensor.dtype(), mx::floating);
}

}  // namespace

std::string to_string(const mx::Shape& shape) {
  std::ostringstream text;
  text << "(";
  for (size_t i = 0; i < shape.size(); ++i) text << (i > 0 ? ", " : "") << shape[i];
  text << ")";
  return text.str();
}

mx::array Weights::give(const std::string& name, mx::array tensor) {
  used_.insert(name);
  if (dtype_ && is_float(tensor) && tensor.dtype() != *dtype_) tensor = mx::astype(tensor, *dtype_);
  taken_.insert_or_assign(name, tensor);
  return tensor;
}

mx::array Weights::take(const std::string& name, const mx::Shape& shape) {
  const auto entry = tensors_.find(name);
  if (entry == tensors_.end()) {
    problems_.push_back("missing: " + name + " " + to_string(shape));
    return mx::zeros(shape, mx::float32);
  }
  if (entry->second.shape() != shape) {
    used_.insert(name);
    problems_.push_back("wrong shape: " + name + " " + to_string(entry->second.shape()) +
                        ", needed " + to_string(shape));
    return mx::zeros(shape, mx::float32);
  }
  if (!is_float(entry->second)) {
    used_.insert(name);
    problems_.push_back("wrong dtype: " + name + " is not floating point");
    return mx::zeros(shape, mx::float32);
  }
  return give(name, entry->second);
}

Matrix Weights::matrix(const std::string& path, const mx::Shape& shape) {
  const auto scales = tensors_.find(path + ".scales");
  const auto packed = tensors_.find(path + ".weight");
  if (scales == tensors_.end() || packed == tensors_.end())
    return {take(path + ".weight", shape), {}, {}, {}};

  const auto biases = tensors_.find(path + ".biases");
  const mx::Shape packed_shape = packed->second.shape(), scales_shape = scales->second.shape();
  const auto leads_like = [&](const mx::Shape& other) {
    return other.size() == shape.size() &&
           std::equal(shape.begin(), shape.end() - 1, other.begin());
  };
  std::optional<Quantization> quantization;
  if (leads_like(packed_shape) && leads_like(scales_shape) && packed->second.dtype() == mx::uint32)
    quantization = quantization_.find(path, shape.back(), packed_shape.back(), scales_shape.back(),
                                      biases != tensors_.end());
  const bool affine = !quantization || quantization->mode == "affine";
  const bool right_biases = affine
                                ? biases != tensors_.end() && biases->second.shape() == scales_shape
                                : biases == tensors_.end();
  Matrix result{
      give(path + ".weight", packed->second), give(path + ".scales", scales->second), {}, {}};
  if (biases != tensors_.end()) result.biases = give(path + ".biases", biases->second);
  if (!quantization || !right_biases)
    problems_.push_back("wrong quantised matrix: " + path + " weight " + to_string(packed_shape) +
                        ", scales " + to_string(scales_shape) + " do not make " + to_string(shape));
  else
    result.quantization = *quantization;
  if (!affine) result.dtype = norm_dtype();
  return result;
}

// What a model calculates in: norms are never quantised.
mx::Dtype Weights::norm_dtype() const {
  if (dtype_) return *dtype_;
  for (const auto& [name, tensor] : tensors_)
    if (name.ends_with("norm.weight") && is_float(tensor)) return tensor.dtype();
  return mx::bfloat16;
}

Linear Weights::linear(const std::string& path, int in, int out, bool bias) {
  const size_t known_problems = problems_.size();
  Matrix weight = matrix(path, {out, in});
  std::optional<mx::array> added;
  if (bias) added = take(path + ".bias", {out});
  if (problems_.size() == known_problems)
    if (auto packed = pack(path, weight, added)) return Linear(std::move(packed));
  return Linear(std::move(weight), std::move(added));
}

Embedding Weights::embedding(const std::string& path, int count, int width, bool is_head) {
  const size_t known_problems = problems_.size();
  Matrix table = matrix(path, {count, width});
  if (is_head && problems_.size() == known_problems)
    if (auto packed = pack(path, table, std::nullopt)) return Embedding(std::move(packed));
  return Embedding(std::move(table));
}

MixtureOfExperts::Weights Weights::experts(const std::string& path, int count, int width,
                                           int inner) {
  const size_t known_problems = problems_.size();
  ExpertWeights plain{matrix(path + "gate_proj", {count, inner, width}),
                      matrix(path + "up_proj", {count, inner, width}),
                      matrix(path + "down_proj", {count, width, inner})};
  // The kernels have quantised experts whose rows fill whole blocks.
  const auto fits = [](const Matrix& m) {
    return m.is_quantized() && m.quantization.mode == "affine" && m.weight.shape(1) % 16 == 0;
  };
  if (!kernels_ || problems_.size() != known_problems || !fits(plain.gate) || !fits(plain.up) ||
      !fits(plain.down))
    return plain;
  PackedExpertWeights packed{pack(path + "gate_proj", plain.gate, std::nullopt),
                             pack(path + "up_proj", plain.up, std::nullopt),
                             pack(path + "down_proj", plain.down, std::nullopt), count};
  if (packed.gate && packed.up && packed.down) return packed;
  return plain;
}

SharedMatrix Weights::pack(const std::string& path, const Matrix& matrix,
                           const std::optional<mx::array>& bias) {
  if (!kernels_) return nullptr;
  auto packed = KernelMatrix::pack(matrix, bias, kernels_);
  if (!packed) return nullptr;
  packed_bytes_ += packed->bytes();
  for (const char* leaf : {".weight", ".scales", ".biases", ".bias"}) forget(path + leaf);
  return packed;
}

// Gives up the original, so that its memory can be used for what comes next.
void Weights::forget(const std::string& name) {
  tensors_.erase(name);
  taken_.erase(name);
}

uint64_t Weights::evaluate() {
  uint64_t bytes = packed_bytes_;
  std::vector<mx::array> arrays;
  for (const auto& [name, tensor] : taken_) {
    bytes += tensor.nbytes();
    arrays.push_back(tensor);
  }
  mx::eval(arrays);
  return bytes;
}

RmsNorm Weights::rms_norm(const std::string& path, int width, float epsilon) {
  return {take(path + ".weight", {width}), epsilon, kernels_};
}

LayerNorm Weights::layer_norm(const std::string& path, int width, float epsilon) {
  return {take(path + ".weight", {width}), take(path + ".bias", {width}), epsilon, kernels_};
}

void Weights::finish(const std::string& checkpoint) const {
  std::vector<std::string> problems = problems_;
  for (const auto& [name, tensor] : tensors_)
    if (!used_.contains(name))
      problems.push_back("unexpected: " + name + " " + to_string(tensor.shape()));
  if (problems.empty()) return;
  std::string list;
  for (const std::string& problem : problems) list += "\n  " + problem;
  fail(ErrorCode::kModel, checkpoint, ": ", problems.size(),
       " tensors do not fit its config.json:", list);
}

}  // namespace prismvid::nn

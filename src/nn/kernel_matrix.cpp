#include "nn/kernel_matrix.h"

#include <algorithm>

#include "core/error.h"
#include "nn/kernel_primitive.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/gated_linear.h"
#include "nn/kernels/look_up.h"
#include "nn/kernels/owned_rows.h"
#include "nn/kernels/products.h"
#include "nn/kernels/quantized_linear.h"
#include "nn/linear.h"

namespace prismvid::nn {
namespace {

using kernels::DenseMatrix;
using kernels::NumberType;
using kernels::PackedMatrix;

bool has_kernel(const Matrix& matrix) {
  if (matrix.weight.ndim() < 2) return false;
  if (matrix.is_quantized())
    return matrix.quantization.mode == "affine" && number_type(matrix.scales->dtype());
  return number_type(matrix.weight.dtype()) && matrix.weight.shape(-1) % 16 == 0;
}

struct Bias {
  const void* data = nullptr;
  NumberType type = NumberType::kFloat32;
};

// The arrays must outlive the view.
kernels::QuantizedMatrixView view_of(const mx::array& words, const mx::array& scales,
                                     const mx::array& biases, const Quantization& q) {
  return {words.data<uint32_t>(),
          scales.data<void>(),
          biases.data<void>(),
          number_type(scales.dtype()).value(),
          static_cast<int>(words.size() / words.shape(-1)),
          scales.shape(-1) * q.group_size,
          q.bits,
          q.group_size};
}

}  // namespace

std::shared_ptr<const KernelMatrix> KernelMatrix::pack(
    const Matrix& matrix, const std::optional<mx::array>& bias,
    std::shared_ptr<const KernelRuntime> runtime) {
  if (!has_kernel(matrix)) return nullptr;
  const auto evaluated = [](mx::array array) {
    array.eval();
    if (array.flags().row_contiguous) return array;
    array = mx::contiguous(array);
    array.eval();
    return array;
  };
  std::optional<mx::array> bias_values;
  Bias added;
  if (bias) {
    bias_values = evaluated(*bias);
    added = {bias_values->data<void>(), number_type(bias->dtype()).value()};
  }
  auto& pool = runtime->pool();
  if (matrix.is_quantized()) {
    const mx::array words = evaluated(matrix.weight), scales = evaluated(*matrix.scales),
                    biases = evaluated(*matrix.biases);
    PackedMatrix packed(view_of(words, scales, biases, matrix.quantization), pool, added.data,
                        added.type);
    return std::shared_ptr<const KernelMatrix>(
        new KernelMatrix(std::move(packed), std::move(runtime)));
  }
  // The kernels have no f16 weights: f32 holds them exactly.
  const mx::array weight =
      evaluated(matrix.weight.dtype() == mx::float16 ? mx::astype(matrix.weight, mx::float32)
                                                     : matrix.weight);
  DenseMatrix dense(rows_of(weight), added.data, added.type, pool);
  return std::shared_ptr<const KernelMatrix>(
      new KernelMatrix(std::move(dense), std::move(runtime)));
}

int KernelMatrix::rows() const {
  return std::visit([](const auto& weights) { return weights.rows(); }, weights_);
}
int KernelMatrix::columns() const {
  return std::visit([](const auto& weights) { return weights.columns(); }, weights_);
}
size_t KernelMatrix::bytes() const {
  return std::visit([](const auto& weights) { return weights.bytes(); }, weights_);
}

void KernelMatrix::multiply(const kernels::ConstRows& input, const kernels::Rows& output,
                            const kernels::ConstRows* addend) const {
  const kernels::Context context = runtime_->context();
  if (const auto* packed = std::get_if<PackedMatrix>(&weights_))
    kernels::quantized_linear(context, *packed, input, output, runtime_->precision(input.type),
                              addend);
  else
    kernels::dense_linear(context, std::get<DenseMatrix>(weights_), input, output, addend);
}

void KernelMatrix::look_up(std::span<const int32_t> ids, const kernels::Rows& output) const {
  std::visit(
      [&](const auto& weights) { kernels::look_up(runtime_->context(), weights, ids, output); },
      weights_);
}

namespace {

void check_fits(const mx::array& x, const KernelMatrix& matrix) {
  check(x.shape(-1) == matrix.columns() && number_type(x.dtype()), ErrorCode::kInvalidArgument,
        "linear: rows of ", x.shape(-1), " do not fit a matrix of ", matrix.rows(), " x ",
        matrix.columns());
}

mx::Shape product_shape(const mx::array& x, const KernelMatrix& matrix) {
  mx::Shape shape = x.shape();
  shape.back() = matrix.rows();
  return shape;
}

}  // namespace

mx::array multiply_transposed(const mx::array& x, SharedMatrix matrix,
                              const std::optional<mx::array>& addend,
                              std::optional<mx::Dtype> dtype) {
  check_fits(x, *matrix);
  const mx::Shape shape = product_shape(x, *matrix);
  std::vector<mx::array> inputs = {x};
  const mx::Dtype written = dtype.value_or(addend.value_or(x).dtype());
  if (addend) {
    check(addend->shape() == shape && number_type(addend->dtype()), ErrorCode::kInvalidArgument,
          "linear: what is added must have the product's shape");
    inputs.push_back(*addend);
  }
  return kernel_array("Linear", shape, written, std::move(inputs),
                      [matrix](const std::vector<mx::array>& in, mx::array& output) {
                        std::optional<kernels::ConstRows> added;
                        if (in.size() > 1) added = rows_of(in[1]);
                        matrix->multiply(rows_of(in[0]), writable_rows_of(output),
                                         added ? &*added : nullptr);
                      });
}

mx::array multiply_at_once(const mx::array& x, const KernelMatrix& matrix, mx::Dtype dtype) {
  check_fits(x, matrix);
  mx::array output = uninitialized_array(product_shape(x, matrix), dtype);
  matrix.multiply(rows_of(x), writable_rows_of(output));
  return output;
}

namespace {

kernels::Product product_of(const KernelMatrix& matrix, const kernels::ConstRows& input,
                            const kernels::Rows& output) {
  const PackedMatrix& packed = *matrix.quantized();
  return {packed.packed_blocks(), packed.bias(), input, output};
}

}  // namespace

void multiply_together(std::span<const SharedMatrix> matrices, const kernels::ConstRows& input,
                       const kernels::Rows& output) {
  const bool in_one = std::all_of(matrices.begin(), matrices.end(), [](const SharedMatrix& matrix) {
    return matrix->quantized() != nullptr;
  });
  std::vector<kernels::Product> products;
  int column = 0;
  for (const SharedMatrix& matrix : matrices) {
    const kernels::Rows part = kernels::columns(output, column, matrix->rows());
    column += matrix->rows();
    if (in_one)
      products.push_back(product_of(*matrix, input, part));
    else
      matrix->multiply(input, part);
  }
  const KernelRuntime& runtime = matrices[0]->runtime();
  if (in_one) kernels::multiply_all(runtime.context(), products, runtime.precision(input.type));
}

void multiply_gated(const KernelMatrix& gate, const KernelMatrix& up,
                    const kernels::ConstRows& input, const kernels::Rows& output) {
  const KernelRuntime& runtime = gate.runtime();
  const PackedMatrix *packed_gate = gate.quantized(), *packed_up = up.quantized();
  if (packed_gate && packed_up && packed_gate->group_size() == packed_up->group_size())
    return kernels::gated_linear(runtime.context(), *packed_gate, *packed_up, input, output,
                                 runtime.precision(input.type));
  const kernels::OwnedRows ups(output.type, output.rows, output.columns);
  gate.multiply(input, output);
  up.multiply(input, ups.rows());
  const kernels::ConstRows factors = kernels::read(ups.rows());
  kernels::activate(runtime.context(), kernels::Activation::kSwiGlu, kernels::read(output),
                    &factors, output);
}

mx::array multiply_together(const mx::array& x, std::vector<SharedMatrix> matrices) {
  mx::Shape shape = x.shape();
  shape.back() = 0;
  for (const SharedMatrix& matrix : matrices) {
    check_fits(x, *matrix);
    shape.back() += matrix->rows();
  }
  return kernel_array("LinearTogether", std::move(shape), x.dtype(), {x},
                      [matrices](const std::vector<mx::array>& in, mx::array& output) {
                        multiply_together(matrices, rows_of(in[0]), writable_rows_of(output));
                      });
}

mx::array multiply_gated(const mx::array& x, SharedMatrix gate, SharedMatrix up) {
  check_fits(x, *gate);
  check_fits(x, *up);
  return kernel_array("GatedLinear", product_shape(x, *gate), x.dtype(), {x},
                      [gate, up](const std::vector<mx::array>& in, mx::array& output) {
                        multiply_gated(*gate, *up, rows_of(in[0]), writable_rows_of(output));
                      });
}

mx::array look_up(const mx::array& ids, std::shared_ptr<const KernelMatrix> table) {
  const int columns = table->columns();
  return kernel_array(
      "LookUp", {ids.shape(0), columns}, mx::float32, {ids},
      [table](const std::vector<mx::array>& inputs, mx::array& output) {
        table->look_up({inputs[0].data<int32_t>(), inputs[0].size()}, writable_rows_of(output));
      });
}

}  // namespace prismvid::nn

#include "nn/experts.h"

#include "nn/kernel_primitive.h"
#include "nn/kernels/experts.h"
#include "nn/swiglu.h"

namespace prismvid::nn {
namespace {

// From this many (token, expert) pairs on, sorting by expert reads each expert's matrix once.
constexpr int kSortFrom = 64;

// MLX's CPU gathers float32 matrices only: there each run of rows with the same expert is
// multiplied by itself, in float32.
mx::array multiply_runs(const mx::array& x, const mx::array& weight, const mx::array& experts) {
  mx::array chosen = mx::contiguous(mx::astype(experts, mx::uint32));
  chosen.eval();
  const auto* expert = chosen.data<uint32_t>();
  const int rows = x.shape(0), in = weight.shape(2), out = weight.shape(1);
  const mx::array wide = mx::reshape(mx::astype(x, mx::float32), {rows, in});
  std::vector<mx::array> products;
  for (int begin = 0, end = 0; begin < rows; begin = end) {
    while (end < rows && expert[end] == expert[begin]) ++end;
    const int e = static_cast<int>(expert[begin]);
    const mx::array matrix = mx::reshape(mx::slice(weight, {e, 0, 0}, {e + 1, out, in}), {out, in});
    products.push_back(mx::matmul(mx::slice(wide, {begin, 0}, {end, in}),
                                  mx::transpose(mx::astype(matrix, mx::float32))));
  }
  return mx::reshape(mx::astype(mx::concatenate(products, 0), x.dtype()), {rows, 1, out});
}

// x (..., rows, 1, in) times the matrix of the expert that `experts` names for each row.
mx::array multiply_chosen(const mx::array& x, const Matrix& matrix, const mx::array& experts,
                          bool sorted) {
  const bool cpu = mx::default_device() == mx::Device::cpu;
  if (!matrix.is_quantized() && cpu && matrix.weight.dtype() != mx::float32)
    return multiply_runs(x, matrix.weight, experts);
  if (!matrix.is_quantized())
    return mx::gather_mm(x, mx::swapaxes(matrix.weight, -1, -2), std::nullopt, experts, sorted);
  const Quantization& q = matrix.quantization;
  return mx::gather_qmm(x, matrix.weight, *matrix.scales, matrix.biases, std::nullopt, experts,
                        true, q.group_size, q.bits, q.mode, std::nullopt, sorted);
}

void mix_experts(const PackedExpertWeights& weights, MixtureOfExperts::Options options,
                 const kernels::ConstRows& x, const kernels::ConstRows& scores,
                 const kernels::ConstRows& other, const kernels::Rows& output) {
  const KernelRuntime& runtime = weights.gate->runtime();
  const auto blocks = [](const SharedMatrix& matrix) {
    return matrix->quantized()->packed_blocks();
  };
  kernels::experts(
      runtime.context(),
      {blocks(weights.gate), blocks(weights.up), blocks(weights.down), weights.experts},
      {options.experts_per_token, options.normalize}, x, scores, other, output,
      runtime.precision(x.type));
}

mx::array by_kernel(const mx::array& x, const mx::array& scores, const mx::array& other,
                    const PackedExpertWeights& weights, MixtureOfExperts::Options options) {
  return kernel_array("Experts", x.shape(), other.dtype(), {x, scores, other},
                      [=](const std::vector<mx::array>& in, mx::array& output) {
                        mix_experts(weights, options, rows_of(in[0]), rows_of(in[1]),
                                    rows_of(in[2]), writable_rows_of(output));
                      });
}

}  // namespace

mx::array MixtureOfExperts::plus(const mx::array& x, const mx::array& other) const {
  if (const auto* packed = std::get_if<PackedExpertWeights>(&weights_))
    return by_kernel(x, router_.in_float32(x), other, *packed, options_);
  return other + by_mlx(x, std::get<ExpertWeights>(weights_));
}

bool MixtureOfExperts::has_kernels() const {
  return router_.kernel_matrix() && std::holds_alternative<PackedExpertWeights>(weights_);
}

void MixtureOfExperts::run(const kernels::ConstRows& x, const kernels::ConstRows& other,
                           const kernels::Rows& output) const {
  const auto& packed = std::get<PackedExpertWeights>(weights_);
  std::vector<float> scores(static_cast<size_t>(x.rows) * packed.experts);
  const kernels::Rows rows = {scores.data(), kernels::NumberType::kFloat32, x.rows, packed.experts,
                              static_cast<size_t>(packed.experts)};
  router_.kernel_matrix()->multiply(x, rows);
  mix_experts(packed, options_, x, kernels::read(rows), other, output);
}

// The plain form.
mx::array MixtureOfExperts::by_mlx(const mx::array& x, const ExpertWeights& w) const {
  const int width = x.shape(-1), chosen = options_.experts_per_token;
  const mx::array rows = mx::reshape(x, {-1, width});
  const int tokens = rows.shape(0);

  const mx::array probabilities = mx::softmax(mx::astype(router_(rows), mx::float32), -1);
  const mx::array order = mx::argpartition(mx::negative(probabilities), chosen - 1, -1);
  const mx::array experts = mx::slice(order, {0, 0}, {tokens, chosen});
  mx::array weights = mx::take_along_axis(probabilities, experts, -1);
  if (options_.normalize) weights = weights / mx::sum(weights, -1, true);

  // One row for each (token, expert) pair, sorted by expert when there are many.
  const bool sorted = tokens * chosen >= kSortFrom;
  const mx::array flat = mx::flatten(experts);
  const mx::array by_expert = sorted ? mx::argsort(flat) : mx::arange(tokens * chosen, mx::uint32);
  const mx::array expert_of_row = mx::take(flat, by_expert);
  const mx::array token_of_row = mx::floor_divide(by_expert, mx::array(chosen, by_expert.dtype()));
  // Not by expand_dims(): sorted products on CUDA take the stride of the new axis for that of rows.
  const mx::array input = mx::reshape(mx::take(rows, token_of_row, 0), {tokens * chosen, 1, width});

  const mx::array hidden = swiglu(multiply_chosen(input, w.gate, expert_of_row, sorted),
                                  multiply_chosen(input, w.up, expert_of_row, sorted));
  mx::array output = mx::squeeze(multiply_chosen(hidden, w.down, expert_of_row, sorted), 1);
  if (sorted) output = mx::take(output, mx::argsort(by_expert), 0);
  output = mx::reshape(output, {tokens, chosen, width});
  const mx::array mixed = mx::sum(output * mx::expand_dims(mx::astype(weights, x.dtype()), -1), 1);
  return mx::reshape(mixed, x.shape());
}

}  // namespace prismvid::nn

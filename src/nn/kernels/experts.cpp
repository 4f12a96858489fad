#include "nn/kernels/experts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/packed_layout.h"

namespace prismvid::nn::kernels {
namespace {

constexpr int kBlocksPerTask = 8;

/// A token's way through one expert.
struct Visit {
  int token;
  int expert;
  float share;
};

void choose(const ConstRows& scores, int token, ExpertChoice choice, Visit* visits) {
  std::vector<float> shares(scores.columns);
  for (int e = 0; e < scores.columns; ++e)
    shares[e] = load_number(at_row(scores, token), scores.type, e);
  std::vector<int> order(scores.columns);
  std::iota(order.begin(), order.end(), 0);
  const bool is_ordered =
      std::none_of(shares.begin(), shares.end(), [](float score) { return std::isnan(score); });
  if (is_ordered)
    std::partial_sort(
        order.begin(), order.begin() + choice.per_token, order.end(),
        [&](int a, int b) { return shares[a] > shares[b] || (shares[a] == shares[b] && a < b); });
  const float most = shares[order[0]];
  float total = 0, chosen = 0;
  for (float& share : shares) total += share = std::exp(share - most);
  for (int i = 0; i < choice.per_token; ++i) chosen += shares[order[i]];
  const float whole = !is_ordered ? NAN : choice.normalize ? chosen : total;
  for (int i = 0; i < choice.per_token; ++i)
    visits[i] = {token, order[i], shares[order[i]] / whole};
}

/// All tokens' visits, expert after expert.
std::vector<Visit> choose_all(const ConstRows& scores, ExpertChoice choice) {
  std::vector<Visit> visits(std::size_t(scores.rows) * choice.per_token);
  for (int token = 0; token < scores.rows; ++token)
    choose(scores, token, choice, &visits[std::size_t(token) * choice.per_token]);
  std::stable_sort(visits.begin(), visits.end(),
                   [](const Visit& a, const Visit& b) { return a.expert < b.expert; });
  return visits;
}

/// Rows of numbers with their memory.
class Matrix {
 public:
  Matrix(NumberType type, int rows, int columns)
      : memory_(std::make_unique_for_overwrite<std::uint8_t[]>(std::size_t(rows) * columns *
                                                               byte_size(type))),
        rows_{memory_.get(), type, rows, columns, static_cast<std::size_t>(columns)} {}

  const Rows& rows() const { return rows_; }
  ConstRows read() const {
    return {rows_.data, rows_.type, rows_.rows, rows_.columns, rows_.stride};
  }

 private:
  std::unique_ptr<std::uint8_t[]> memory_;
  Rows rows_;
};

/// A product of some neighbouring rows with one expert's part of a matrix.
struct Product {
  PackedBlocks matrix;
  ConstRows input;
  Rows output;
  std::size_t prepared_at = 0;
};

PackedBlocks part(PackedBlocks matrix, int experts, int expert) {
  matrix.rows /= experts;
  matrix.data += std::size_t(expert) * (matrix.rows / kBlockRows) * matrix.block_bytes;
  return matrix;
}

/// Adds the products of `input` with each visit's expert.
void add_products(const std::vector<Visit>& visits, const PackedBlocks& matrix, int experts,
                  const Matrix& input, const Matrix& output, std::vector<Product>& products) {
  const int count = static_cast<int>(visits.size());
  for (int first = 0, last = 0; first < count; first = last) {
    while (last < count && last - first < kMaxTokens && visits[last].expert == visits[first].expert)
      ++last;
    products.push_back({part(matrix, experts, visits[first].expert),
                        slice(input.read(), first, last - first),
                        slice(output.rows(), first, last - first)});
  }
}

void prepare(const Context& context, const Product& product, int kind, std::uint8_t* prepared) {
  const ConstRows& input = product.input;
  const std::size_t tile_bytes = prepared_bytes(kMaxTile, input.columns, product.matrix.group_size);
  for (int first = 0; first < input.rows; first += kMaxTile, prepared += tile_bytes)
    context.table.prepare[kind]({.input = at_row(input, first),
                                 .input_type = input.type,
                                 .input_stride = input.stride,
                                 .tokens = std::min(kMaxTile, input.rows - first),
                                 .columns = input.columns,
                                 .group_size = product.matrix.group_size,
                                 .prepared = prepared});
}

/// All products at once: two forks, however many experts there are.
void multiply_all(const Context& context, std::vector<Product>& products, int kind) {
  std::size_t bytes = 0;
  std::vector<std::pair<int, int>> tasks;  // product, first block
  for (std::size_t i = 0; i < products.size(); ++i) {
    products[i].prepared_at = bytes;
    const PackedBlocks& matrix = products[i].matrix;
    const int tiles = (products[i].input.rows + kMaxTile - 1) / kMaxTile;
    bytes += tiles * prepared_bytes(kMaxTile, matrix.columns, matrix.group_size);
    for (int block = 0; block < matrix.rows / kBlockRows; block += kBlocksPerTask)
      tasks.emplace_back(static_cast<int>(i), block);
  }
  // 64 spare bytes: vector loads of the last scales may read beyond them.
  const auto prepared = std::make_unique_for_overwrite<std::uint8_t[]>(bytes + 64);
  context.pool.parallel_for(static_cast<int>(products.size()), [&](int i) {
    prepare(context, products[i], kind, prepared.get() + products[i].prepared_at);
  });
  context.pool.parallel_for(static_cast<int>(tasks.size()), [&](int task) {
    const auto [index, first] = tasks[task];
    const Product& product = products[index];
    context.table.multiply[kind](
        {.matrix = product.matrix,
         .bias = nullptr,
         .addend = {nullptr, NumberType::kFloat32, 0},
         .first_block = first,
         .last_block = std::min(first + kBlocksPerTask, product.matrix.rows / kBlockRows),
         .prepared = prepared.get() + product.prepared_at,
         .tokens = product.input.rows,
         .output = product.output.data,
         .output_type = product.output.type,
         .output_stride = product.output.stride});
  });
}

/// Each token's visits' results times their shares, and what is added.
void mix(const Context& context, const std::vector<Visit>& visits, int per_token,
         const Matrix& results, const ConstRows& addend, const Rows& output) {
  std::vector<int> visits_of(std::size_t(output.rows) * per_token), filled(output.rows);
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const int token = visits[i].token;
    visits_of[std::size_t(token) * per_token + filled[token]++] = static_cast<int>(i);
  }
  context.pool.parallel_for(output.rows, [&](int token) {
    std::vector<float> sums(output.columns);
    for (int k = 0; k < output.columns; ++k)
      sums[k] = load_number(at_row(addend, token), addend.type, k);
    for (int i = 0; i < per_token; ++i) {
      const int visit = visits_of[std::size_t(token) * per_token + i];
      const float share = visits[visit].share;
      const auto* result = static_cast<const float*>(at_row(results.read(), visit));
      for (int k = 0; k < output.columns; ++k) sums[k] += share * result[k];
    }
    for (int k = 0; k < output.columns; ++k)
      store_number(at_row(output, token), output.type, k, sums[k]);
  });
}

}  // namespace

void experts(const Context& context, const ExpertMatrices& m, ExpertChoice choice,
             const ConstRows& input, const ConstRows& scores, const ConstRows& addend,
             const Rows& output, Precision precision) {
  const int inner = m.gate.rows / m.experts, kind = static_cast<int>(precision);
  check(inner % kBlockRows == 0 && input.columns % kBlockRows == 0 && m.down.columns == inner &&
            m.down.rows == m.experts * input.columns && m.gate.columns == input.columns &&
            m.up.rows == m.gate.rows && m.up.columns == input.columns &&
            scores.columns == m.experts && choice.per_token <= m.experts &&
            scores.rows == input.rows && output.rows == input.rows &&
            output.columns == input.columns && addend.rows == input.rows &&
            addend.columns == input.columns,
        ErrorCode::kInvalidArgument, "experts: matrices, scores and rows do not fit");
  const std::vector<Visit> visits = choose_all(scores, choice);
  const int count = static_cast<int>(visits.size());
  const Matrix gathered(input.type, count, input.columns), gates(input.type, count, inner),
      ups(input.type, count, inner), results(NumberType::kFloat32, count, input.columns);
  for (int i = 0; i < count; ++i)
    std::memcpy(at_row(gathered.rows(), i), at_row(input, visits[i].token),
                input.columns * byte_size(input.type));

  std::vector<Product> products;
  add_products(visits, m.gate, m.experts, gathered, gates, products);
  add_products(visits, m.up, m.experts, gathered, ups, products);
  multiply_all(context, products, kind);
  const ConstRows factors = ups.read();
  activate(context, Activation::kSwiGlu, gates.read(), &factors, gates.rows());
  products.clear();
  add_products(visits, m.down, m.experts, gates, results, products);
  multiply_all(context, products, kind);
  mix(context, visits, choice.per_token, results, addend, output);
}

}  // namespace prismvid::nn::kernels

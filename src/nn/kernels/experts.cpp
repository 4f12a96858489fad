#include "nn/kernels/experts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/owned_rows.h"
#include "nn/kernels/packed_layout.h"
#include "nn/kernels/products.h"

namespace prismvid::nn::kernels {
namespace {

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

PackedBlocks part(PackedBlocks matrix, int experts, int expert) {
  matrix.rows /= experts;
  matrix.data += std::size_t(expert) * (matrix.rows / kBlockRows) * matrix.block_bytes;
  return matrix;
}

/// Adds the products of `input` with each visit's expert.
void add_products(const std::vector<Visit>& visits, const PackedBlocks& matrix, int experts,
                  const OwnedRows& input, const OwnedRows& output, std::vector<Product>& products) {
  const int count = static_cast<int>(visits.size());
  for (int first = 0, last = 0; first < count; first = last) {
    while (last < count && last - first < kMaxTokens && visits[last].expert == visits[first].expert)
      ++last;
    products.push_back({part(matrix, experts, visits[first].expert), nullptr,
                        slice(read(input.rows()), first, last - first),
                        slice(output.rows(), first, last - first)});
  }
}

/// Each token's visits' results times their shares, and what is added.
void mix(const Context& context, const std::vector<Visit>& visits, int per_token,
         const OwnedRows& results, const ConstRows& addend, const Rows& output) {
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
      const auto* result = static_cast<const float*>(at_row(results.rows(), visit));
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
  const int inner = m.gate.rows / m.experts;
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
  const OwnedRows gathered(input.type, count, input.columns), gates(input.type, count, inner),
      ups(input.type, count, inner), results(NumberType::kFloat32, count, input.columns);
  for (int i = 0; i < count; ++i)
    std::memcpy(at_row(gathered.rows(), i), at_row(input, visits[i].token),
                input.columns * byte_size(input.type));

  std::vector<Product> products;
  add_products(visits, m.gate, m.experts, gathered, gates, products);
  add_products(visits, m.up, m.experts, gathered, ups, products);
  multiply_all(context, products, precision);
  const ConstRows factors = read(ups.rows());
  activate(context, Activation::kSwiGlu, read(gates.rows()), &factors, gates.rows());
  products.clear();
  add_products(visits, m.down, m.experts, gates, results, products);
  multiply_all(context, products, precision);
  mix(context, visits, choice.per_token, results, addend, output);
}

}  // namespace prismvid::nn::kernels

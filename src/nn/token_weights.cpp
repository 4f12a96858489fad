#include "nn/token_weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "nn/sampler.h"

namespace prismvid::nn {
namespace {

constexpr float kLog2E = 1.44269504f;
constexpr std::size_t kBlock = 512;  // weights whose sum in f32 loses nothing that counts

// 2^x for x <= 0, and 0 for NaN and below -126: plain arithmetic that compilers vectorise, as
// std::exp is not.
inline float exp2_of(float x) {
  const float within = x > -126.0f ? x : -126.0f;
  const float shifted = within + 12582912.0f;  // 1.5 * 2^23: rounds to a whole number
  const float whole = shifted - 12582912.0f, f = within - whole;
  float sum = 1.540353e-4f;
  for (const float c : {1.333356e-3f, 9.618129e-3f, 5.550411e-2f, 2.402265e-1f, 6.931472e-1f, 1.0f})
    sum = sum * f + c;
  const auto power = static_cast<std::uint32_t>(static_cast<int>(whole) + 127) << 23;
  return x > -126.0f ? sum * std::bit_cast<float>(power) : 0.0f;
}

double sum_of(std::span<const float> weights) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= weights.size(); i += 8)
    for (int lane = 0; lane < 8; ++lane) lanes[lane] += weights[i + lane];
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (; i < weights.size(); ++i) sum += weights[i];
  return sum;
}

std::span<const float> block_at(const std::vector<float>& weights, std::size_t first) {
  return std::span(weights).subspan(first, std::min(kBlock, weights.size() - first));
}

}  // namespace

TokenWeights::TokenWeights(std::span<const float> logits, float temperature)
    : logits_(logits), weights_(logits.size()) {
  if (logits.empty()) return;
  const std::size_t first = argmax(logits);
  const float best = logits[first], scale = kLog2E / temperature;
  if (!std::isfinite(best) || !std::isfinite(scale)) {  // no differences to speak of
    weights_[first] = best > -INFINITY ? 1.0f : 0.0f;
    return;
  }
  float* weights = weights_.data();
  for (std::size_t i = 0; i < logits.size(); ++i) weights[i] = exp2_of((logits[i] - best) * scale);
}

double TokenWeights::total() const {
  double sum = 0;
  for (std::size_t at = 0; at < weights_.size(); at += kBlock)
    sum += sum_of(block_at(weights_, at));
  return sum;
}

void TokenWeights::keep_top_p(float top_p) {
  const double enough = top_p * total();
  // Weights are at most 1; the upper halves of their bits keep their order.
  std::vector<double> sums((std::bit_cast<std::uint32_t>(1.0f) >> 16) + 2);
  const auto class_of = [](float weight) { return std::bit_cast<std::uint32_t>(weight) >> 16; };
  for (const float weight : weights_) sums[class_of(weight)] += weight;
  double above = 0;
  std::uint32_t edge = static_cast<std::uint32_t>(sums.size()) - 1;
  while (edge > 0 && above + sums[edge] < enough) above += sums[edge--];
  std::vector<int> at_edge;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const std::uint32_t c = class_of(weights_[i]);
    if (c < edge) weights_[i] = 0;
    if (c == edge) at_edge.push_back(static_cast<int>(i));
  }
  std::sort(at_edge.begin(), at_edge.end(), [&](int a, int b) {
    return logits_[a] > logits_[b] || (logits_[a] == logits_[b] && a < b);
  });
  for (const int id : at_edge) {
    const float weight = weights_[id];
    if (above >= enough) weights_[id] = 0;
    above += weight;
  }
}

void TokenWeights::keep_min_p(float min_p) {
  for (float& weight : weights_) weight = weight < min_p ? 0.0f : weight;
}

int TokenWeights::draw(double uniform) const {
  double left = uniform * total();
  for (std::size_t at = 0; at < weights_.size(); at += kBlock) {
    const auto block = block_at(weights_, at);
    const double sum = sum_of(block);
    if (left >= sum) {
      left -= sum;
      continue;
    }
    for (std::size_t i = 0; i < block.size(); ++i)
      if (block[i] > 0 && (left -= block[i]) < 0) return static_cast<int>(at + i);
  }
  // Rounding may leave a little: the last token that has a chance, never one that has none.
  for (std::size_t i = weights_.size(); i-- > 0;)
    if (weights_[i] > 0) return static_cast<int>(i);
  return 0;
}

}  // namespace prismvid::nn

#include "models/qwen3_vl/positions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace prismvid::qwen3_vl {
namespace {

// Fast frequencies stay, slow ones are divided by the factor, those between are mixed.
void stretch(std::vector<float>& frequencies, const YarnConfig& yarn, const TextConfig& text) {
  const double width = text.head_dim;
  // The frequency that turns so many times within the trained context.
  const auto index_of = [&](double turns) {
    return width * std::log(yarn.original_positions / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(text.rope_theta));
  };
  double first = index_of(yarn.beta_fast), last = index_of(yarn.beta_slow);
  if (yarn.truncate) first = std::floor(first), last = std::ceil(last);
  first = std::max(first, 0.0);
  last = std::min(last, width - 1);
  if (first == last) last += 0.001;
  for (size_t j = 0; j < frequencies.size(); ++j) {
    const double slow = std::clamp((static_cast<double>(j) - first) / (last - first), 0.0, 1.0);
    frequencies[j] *= static_cast<float>(slow / yarn.factor + (1 - slow));
  }
}

}  // namespace

Positions make_positions(int tokens, const std::vector<VisualSpan>& spans) {
  Positions positions;
  positions.of_token.reserve(tokens);
  const auto add_text_until = [&](int end) {
    while (static_cast<int>(positions.of_token.size()) < end) {
      const int p = positions.next++;
      positions.of_token.push_back({p, p, p});
    }
  };
  for (const VisualSpan& span : spans) {
    add_text_until(span.start);
    const int start = positions.next;
    for (int row = 0; row < span.rows; ++row)
      for (int column = 0; column < span.columns; ++column)
        positions.of_token.push_back({start, start + row, start + column});
    positions.next += std::max(span.rows, span.columns);
  }
  add_text_until(tokens);
  return positions;
}

std::vector<float> text_frequencies(const TextConfig& text) {
  std::vector<float> frequencies(text.head_dim / 2);
  for (size_t j = 0; j < frequencies.size(); ++j) {
    const float exponent = 2.0f * static_cast<float>(j) / static_cast<float>(text.head_dim);
    frequencies[j] = 1.0f / std::pow(static_cast<float>(text.rope_theta), exponent);
  }
  if (text.yarn) stretch(frequencies, *text.yarn, text);
  return frequencies;
}

float turned_length(const TextConfig& text) {
  return text.yarn ? static_cast<float>(text.yarn->attention_factor) : 1.0f;
}

nn::Rotation text_rotation(const Positions& positions, int first, int count,
                           const TextConfig& text) {
  const auto frequencies = text_frequencies(text);
  const int half = static_cast<int>(frequencies.size());
  const auto axis_of = [&](int j) {
    const int axis = j % 3;
    return axis != 0 && j < 3 * text.mrope_section[axis] ? axis : 0;
  };
  std::vector<float> angles(static_cast<size_t>(count) * half);
  for (int i = 0; i < count; ++i)
    for (int j = 0; j < half; ++j)
      angles[static_cast<size_t>(i) * half + j] =
          static_cast<float>(positions.of_token[first + i][axis_of(j)]) * frequencies[j];
  return nn::rotation_of(mx::array(angles.begin(), {count, half}), turned_length(text));
}

nn::Rotation text_rotation(const std::vector<int>& positions, const TextConfig& text) {
  const auto frequencies = text_frequencies(text);
  std::vector<float> angles;
  for (const int position : positions)
    for (const float frequency : frequencies)
      angles.push_back(static_cast<float>(position) * frequency);
  return nn::rotation_of(mx::array(angles.begin(), {static_cast<int>(positions.size()),
                                                    static_cast<int>(frequencies.size())}),
                         turned_length(text));
}

}  // namespace prismvid::qwen3_vl

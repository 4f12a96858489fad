#pragma once

#include <array>
#include <vector>

#include "models/qwen3_vl/config.h"
#include "nn/rotary.h"

namespace prismvid::qwen3_vl {

/// A block of visual tokens in the prompt: a picture or one pair of frames, row by row.
struct VisualSpan {
  int start = 0;  // index of its first token
  int rows = 0;
  int columns = 0;

  int tokens() const { return rows * columns; }
  int end() const { return start + tokens(); }
};

/// Positions of each token in time, height and width, and where the text behind the prompt goes on.
struct Positions {
  std::vector<std::array<int, 3>> of_token;
  int next = 0;

  /// What is added to the number of cached tokens to get the position of the next one; 0 or less.
  int delta() const { return next - static_cast<int>(of_token.size()); }
};

/// As get_rope_index() of transformers' Qwen3-VL: text counts on in all three, a visual block has
/// one time and its rows and columns, and costs max(rows, columns) positions.
Positions make_positions(int tokens, const std::vector<VisualSpan>& spans);

/// Frequencies of the text's rotary embedding (head_dim / 2), float32; stretched where config.json
/// asks for YaRN, as _compute_yarn_parameters() of transformers.
std::vector<float> text_frequencies(const TextConfig& text);

/// What multiplies turned queries and keys: more than 1 where config.json asks for YaRN.
float turned_length(const TextConfig& text);

/// Rotation of `count` tokens from `first`. Interleaved: frequency j takes height where j % 3 = 1,
/// width where j % 3 = 2, as far as mrope_section reaches, else time.
nn::Rotation text_rotation(const Positions& positions, int first, int count,
                           const TextConfig& text);

/// Rotation of text tokens that stand at `positions` in all three axes.
nn::Rotation text_rotation(const std::vector<int>& positions, const TextConfig& text);

}  // namespace prismvid::qwen3_vl

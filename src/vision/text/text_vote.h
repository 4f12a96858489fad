#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace prismvid::vision {

/// One reading of a text; its weight is its confidence times how long the text stood unchanged.
struct TextReading {
  std::string text;
  float confidence = 0;
  double duration_s = 0;
};

/// Levenshtein distance.
int edit_distance(std::u32string_view a, std::u32string_view b);

/// 1 for texts of the same letters and digits, 0 for texts that share none.
double text_similarity(std::string_view a, std::string_view b);

/// The reading with the most weight, readings of the same text counting together; its best
/// confidence.
TextReading voted(const std::vector<TextReading>& readings);

}  // namespace prismvid::vision

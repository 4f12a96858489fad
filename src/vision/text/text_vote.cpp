#include "vision/text/text_vote.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "vision/text/unicode.h"

namespace prismvid::vision {

int edit_distance(std::u32string_view a, std::u32string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = row[0];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

double text_similarity(std::string_view a, std::string_view b) {
  const std::u32string key_a = comparison_key(a), key_b = comparison_key(b);
  const size_t longest = std::max(key_a.size(), key_b.size());
  if (longest == 0) return a == b ? 1 : 0;
  return 1 - edit_distance(key_a, key_b) / static_cast<double>(longest);
}

TextReading voted(const std::vector<TextReading>& readings) {
  constexpr double kShortest = 0.5, kLongest = 1;  // no single reading decides alone
  std::map<std::string, double> weights;
  for (const TextReading& reading : readings)
    weights[reading.text] +=
        reading.confidence * std::clamp(reading.duration_s, kShortest, kLongest);
  TextReading best;
  double best_weight = -1;
  for (const TextReading& reading : readings) {
    const double weight = weights[reading.text];
    if (weight < best_weight || (weight == best_weight && reading.confidence <= best.confidence))
      continue;
    best_weight = weight;
    best = reading;
  }
  return best;
}

}  // namespace prismvid::vision

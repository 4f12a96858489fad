#pragma once

#include <cmath>
#include <random>
#include <vector>

namespace prismvid::nn {

/// Logits of a model's kind, with equal ones, masked ones and NaN among them.
inline std::vector<float> logits_of(int count, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> logits(count);
  for (float& logit : logits) logit = std::round(normal(random) * 256) / 256;
  for (int i = 0; i < count / 10; ++i) logits[random() % count] = -INFINITY;
  if (count > 20) logits[random() % count] = NAN;
  return logits;
}

}  // namespace prismvid::nn

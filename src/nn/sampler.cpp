#include "nn/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace prismvid::nn {
namespace {

bool likelier(const TokenProbability& a, const TokenProbability& b) {
  return a.log_probability > b.log_probability ||
         (a.log_probability == b.log_probability && a.id < b.id);
}

// log(sum(exp(x))) in double.
double log_sum(std::span<const float> logits, float largest) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return std::log(sum) + largest;
}

std::vector<TokenProbability> with_ids(std::span<const float> logits) {
  std::vector<TokenProbability> tokens(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) tokens[i] = {static_cast<int>(i), logits[i]};
  return tokens;
}

void keep_first(std::vector<TokenProbability>& tokens, size_t count) {
  count = std::min(count, tokens.size());
  std::partial_sort(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count),
                    tokens.end(), likelier);
  tokens.resize(count);
}

void normalize(std::vector<TokenProbability>& tokens) {
  double sum = 0;
  for (const auto& token : tokens) sum += std::exp(static_cast<double>(token.log_probability));
  for (auto& token : tokens) token.log_probability -= static_cast<float>(std::log(sum));
}

}  // namespace

Sampler::Sampler(SamplingOptions options) : options_(std::move(options)), random_(options_.seed) {
  const auto require = [](bool condition, const char* what) {
    check(condition, ErrorCode::kInvalidArgument, "sampling: ", what);
  };
  require(options_.temperature >= 0 && std::isfinite(options_.temperature),
          "temperature must be 0 or more");
  require(options_.top_k >= 0, "top-k must be 0 (off) or more");
  require(options_.top_p > 0 && options_.top_p <= 1, "top-p must be above 0 and at most 1");
  require(options_.min_p >= 0 && options_.min_p <= 1, "min-p must be from 0 to 1");
  require(options_.repetition_penalty > 0, "the repetition penalty must be above 0");
  require(std::isfinite(options_.presence_penalty) && std::isfinite(options_.frequency_penalty),
          "penalties must be finite");
}

int Sampler::pick(std::span<float> logits) {
  penalize(logits);
  int id = 0;
  if (options_.temperature == 0) {
    id = argmax(logits);
  } else {
    const auto tokens = candidates(logits);
    double left = std::uniform_real_distribution<double>(0, 1)(random_);
    id = tokens.back().id;
    for (const auto& token : tokens) {
      left -= std::exp(static_cast<double>(token.log_probability));
      if (left < 0) {
        id = token.id;
        break;
      }
    }
  }
  remember(id);
  return id;
}

void Sampler::penalize(std::span<float> logits) const {
  const auto inside = [&](int id) { return id >= 0 && id < static_cast<int>(logits.size()); };
  for (const auto& [id, count] : counts_) {
    if (!inside(id)) continue;
    float& logit = logits[id];
    logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
    logit -= options_.presence_penalty + options_.frequency_penalty * static_cast<float>(count);
  }
  for (const auto& [id, bias] : options_.logit_bias)
    if (inside(id)) logits[id] += bias;
}

// What may be picked, likeliest first, with probabilities that sum to 1.
std::vector<TokenProbability> Sampler::candidates(std::span<const float> logits) const {
  auto tokens = with_ids(logits);
  std::erase_if(tokens, [](const TokenProbability& token) {
    return token.log_probability == -std::numeric_limits<float>::infinity();  // masked
  });
  for (auto& token : tokens) token.log_probability /= options_.temperature;
  const auto best = *std::min_element(tokens.begin(), tokens.end(), likelier);
  for (auto& token : tokens) token.log_probability -= best.log_probability;
  keep_first(tokens, options_.top_k > 0 ? static_cast<size_t>(options_.top_k) : tokens.size());
  normalize(tokens);
  if (options_.top_p < 1) {
    double sum = 0;
    const auto end = std::find_if(tokens.begin(), tokens.end(), [&](const TokenProbability& token) {
      const bool enough = sum >= options_.top_p;
      sum += std::exp(static_cast<double>(token.log_probability));
      return enough;
    });
    tokens.erase(end, tokens.end());
    normalize(tokens);
  }
  if (options_.min_p > 0) {
    const float floor = tokens.front().log_probability + std::log(options_.min_p);
    std::erase_if(tokens,
                  [&](const TokenProbability& token) { return token.log_probability < floor; });
    normalize(tokens);
  }
  return tokens;
}

LogProbabilities log_probabilities(std::span<const float> logits, int id, int count) {
  const double total = log_sum(logits, logits[argmax(logits)]);
  const auto probability = [&](float logit) { return static_cast<float>(logit - total); };
  LogProbabilities result{{id, probability(logits[id])}, {}};
  if (count <= 0) return result;
  result.top = with_ids(logits);
  keep_first(result.top, static_cast<size_t>(count));
  for (auto& token : result.top) token.log_probability = probability(token.log_probability);
  return result;
}

int argmax(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace prismvid::nn

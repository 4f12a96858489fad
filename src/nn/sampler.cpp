#include "nn/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "nn/token_weights.h"

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

float largest_of(std::span<const float> values) {
  // Many maxima side by side: one alone would wait for itself.
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> most;
  most.fill(-std::numeric_limits<float>::infinity());
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      most[lane] = values[i + lane] > most[lane] ? values[i + lane] : most[lane];
  float largest = *std::max_element(most.begin(), most.end());
  for (size_t i = whole; i < values.size(); ++i) largest = std::max(largest, values[i]);
  return largest;
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
  const int id = options_.temperature == 0 ? argmax(logits) : draw(logits);
  remember(id);
  return id;
}

std::vector<double> Sampler::upcoming(int count) const {
  Sampler ahead(*this);
  std::vector<double> uniforms(static_cast<size_t>(count));
  for (double& uniform : uniforms) uniform = ahead.next_uniform();
  return uniforms;
}

void Sampler::take(int id) {
  if (options_.temperature > 0) next_uniform();
  remember(id);
}

int Sampler::draw(std::span<const float> logits) {
  double left = next_uniform();
  if (options_.top_k == 0) {
    TokenWeights weights(logits, options_.temperature);
    if (options_.top_p < 1) weights.keep_top_p(options_.top_p);
    if (options_.min_p > 0) weights.keep_min_p(options_.min_p);
    return weights.draw(left);
  }
  const auto tokens = candidates(logits);
  for (const auto& token : tokens) {
    left -= std::exp(static_cast<double>(token.log_probability));
    if (left < 0) return token.id;
  }
  return tokens.empty() ? 0 : tokens.back().id;
}

bool Sampler::is_plain_greedy() const {
  return options_.temperature == 0 && options_.presence_penalty == 0 &&
         options_.frequency_penalty == 0 && options_.repetition_penalty == 1 &&
         options_.logit_bias.empty();
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

// What top-k leaves to be picked, likeliest first, with probabilities that sum to 1.
std::vector<TokenProbability> Sampler::candidates(std::span<const float> logits) const {
  auto tokens = likeliest(logits, static_cast<size_t>(options_.top_k));
  if (tokens.empty()) return tokens;
  const float best = tokens.front().log_probability;
  for (auto& token : tokens)
    token.log_probability = (token.log_probability - best) / options_.temperature;
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
  result.top = likeliest(logits, static_cast<size_t>(count));
  for (auto& token : result.top) token.log_probability = probability(token.log_probability);
  return result;
}

std::vector<TokenProbability> likeliest(std::span<const float> logits, size_t count) {
  count = std::min(count, logits.size());
  std::vector<TokenProbability> heap;  // the least likely of those kept in front
  float threshold = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < logits.size() && count > 0; ++i) {
    if (!(logits[i] > threshold)) continue;  // equal ones keep the lower id
    if (heap.size() == count) {
      std::pop_heap(heap.begin(), heap.end(), likelier);
      heap.pop_back();
    }
    heap.push_back({static_cast<int>(i), logits[i]});
    if (count == logits.size()) continue;  // all: sorted once at the end
    std::push_heap(heap.begin(), heap.end(), likelier);
    if (heap.size() == count) threshold = heap.front().log_probability;
  }
  std::sort(heap.begin(), heap.end(), likelier);
  return heap;
}

int argmax(std::span<const float> values) {
  // The part that holds the largest is looked through again, not all.
  constexpr size_t kPart = 1024;
  float largest = -std::numeric_limits<float>::infinity();
  size_t first = 0;
  for (size_t at = 0; at < values.size(); at += kPart) {
    const float most = largest_of(values.subspan(at, std::min(kPart, values.size() - at)));
    if (most > largest) {
      largest = most;
      first = at;
    }
  }
  const auto found = std::find(values.begin() + first, values.end(), largest);
  return found == values.end() ? 0 : static_cast<int>(found - values.begin());
}

}  // namespace prismvid::nn

#include "nn/cuda/token_sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"

namespace prismvid::cuda {
namespace {

constexpr float kLog2E = 1.44269504f;

template <typename T>
void upload(const DeviceBuffer& to, const std::vector<T>& values) {
  check_driver(cuMemcpyHtoD(to.address(), values.data(), values.size() * sizeof(T)),
               "writing to the device");
}

// Four bytes for each token of the vocabulary, 0 where nothing is said.
template <typename T>
std::vector<int> row_of(int vocabulary, const std::vector<std::pair<int, T>>& said) {
  std::vector<int> row(static_cast<size_t>(vocabulary));
  for (const auto& [id, value] : said)
    if (id >= 0 && id < vocabulary) row[id] = std::bit_cast<int>(value);
  return row;
}

}  // namespace

TokenSampler::TokenSampler(int most_tokens, int vocabulary)
    : most_tokens_(most_tokens),
      vocabulary_(vocabulary),
      uniforms_(static_cast<size_t>(kHistory * most_tokens) * sizeof(double)),
      counts_(most_tokens),
      biases_(most_tokens) {
  const size_t most = static_cast<size_t>(most_tokens);
  rules_ = DeviceBuffer(most * sizeof(SampleRule));
  states_ = DeviceBuffer(most * sizeof(SampleState));
  bins_ = DeviceBuffer(most * kEdgeBins * 8);
  sums_ = DeviceBuffer(most * kSampleBlocks * sizeof(ulonglong2));
  list_ = DeviceBuffer(most * kMostTopK * 8);
}

void TokenSampler::set_row(std::vector<DeviceBuffer>& rows, size_t index,
                           const std::vector<int>& values) {
  if (!rows[index].address()) rows[index] = DeviceBuffer(values.size() * 4);
  upload(rows[index], values);
}

void TokenSampler::start(const std::vector<TokenRule>& rules) {
  std::vector<SampleRule> table;
  for (size_t i = 0; i < rules.size(); ++i) {
    const TokenRule& rule = rules[i];
    check(rule.top_k <= kMostTopK, ErrorCode::kInternal, "CUDA: top-k of ", rule.top_k);
    SampleRule row{};
    row.scale = rule.temperature > 0 ? kLog2E / rule.temperature : 0;
    if (!std::isfinite(row.scale)) row.scale = 0;  // so cold that only the likeliest has a chance
    row.top_k = rule.top_k, row.top_p = rule.top_p, row.min_p = rule.min_p;
    row.presence = rule.presence_penalty, row.frequency = rule.frequency_penalty;
    row.repetition = rule.repetition_penalty;
    if (rule.has_penalties()) {
      set_row(counts_, i, row_of(vocabulary_, rule.counts));
      row.counts = counts_[i].as<int>();
    }
    if (!rule.biases.empty()) {
      set_row(biases_, i, row_of(vocabulary_, rule.biases));
      row.biases = biases_[i].as<float>();
    }
    if (rule.masked) {
      if (!host_masks_) {
        const size_t bytes = most_tokens_ * mask_words() * sizeof(uint64_t);
        masks_ = DeviceBuffer(bytes);
        host_masks_ = std::make_unique<HostBuffer>(bytes);
      }
      row.mask = reinterpret_cast<const uint32_t*>(masks_.as<uint64_t>() + i * mask_words());
    }
    table.push_back(row);
  }
  upload(rules_, table);
}

void TokenSampler::set_uniforms(int step, const std::vector<double>& uniforms) {
  double* row = uniforms_.host<double>() + static_cast<size_t>(step % kHistory) * uniforms.size();
  std::copy(uniforms.begin(), uniforms.end(), row);
}

std::span<uint64_t> TokenSampler::mask(size_t index) const {
  return {host_masks_->host<uint64_t>() + index * mask_words(), mask_words()};
}

void TokenSampler::send_masks(int tokens, CUstream stream) const {
  check_driver(cuMemcpyHtoDAsync(masks_.address(), host_masks_->host<uint64_t>(),
                                 tokens * mask_words() * sizeof(uint64_t), stream),
               "writing masks to the device");
}

void TokenSampler::draw(const GreedyArguments& next, int tokens, CUstream stream) const {
  const Kernels& kernels = Kernels::instance();
  SampleArguments a{};
  a.next = next;
  a.rules = rules_.as<SampleRule>();
  a.states = states_.as<SampleState>();
  a.uniforms = uniforms_.device<double>();
  a.bins = bins_.as<unsigned long long>();
  a.sums = sums_.as<ulonglong2>();
  a.list = list_.as<unsigned long long>();
  const auto start = [&](const char* name) {
    launch(
        {kernels.step(name), {kSampleBlocks, static_cast<unsigned>(tokens), 1}, kSampleThreads, 0},
        a, stream);
  };
  start("start_sample");
  for (a.pass = 0; a.pass < kEdgePasses; ++a.pass) start("find_edge");
  start("draw_sample");
}

}  // namespace prismvid::cuda

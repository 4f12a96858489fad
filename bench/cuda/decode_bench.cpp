// Qwen3-VL on an NVIDIA GPU with random weights of a given seed.
//   cuda_decode_bench make FOLDER SHAPE BITS   writes a checkpoint (SHAPE 8b, 2b or 30b-a3b; BITS
//                                              16: bfloat16)
//   cuda_decode_bench run FOLDER               measures, then checks the decoder against MLX
//   cuda_decode_bench decode FOLDER            measures decoding alone, without MLX's operations
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/cuda/random_checkpoint.h"
#include "models/qwen3_vl/device_decoder.h"
#include "models/qwen3_vl/model.h"

namespace {

using namespace prismvid;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

qwen3_vl::Prompt random_prompt(int tokens, int seed) {
  qwen3_vl::Prompt prompt;
  uint64_t state = static_cast<uint64_t>(seed) * 7919 + 1;
  for (int i = 0; i < tokens; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    prompt.ids.push_back(static_cast<int>((state >> 33) % 150000));
  }
  return prompt;
}

int argmax(const std::vector<float>& row) {
  return static_cast<int>(std::max_element(row.begin(), row.end()) - row.begin());
}

mx::array last_hidden(const mx::array& hidden) {
  const int last = hidden.shape(1);
  return mx::slice(hidden, {0, last - 1, 0}, {1, last, hidden.shape(2)});
}

qwen3_vl::Sequence filled(const qwen3_vl::Model& model, const qwen3_vl::Prompt& prompt) {
  qwen3_vl::Sequence sequence = model.begin(prompt);
  mx::eval(last_hidden(
      model.prefill(sequence, prompt, std::nullopt, static_cast<int>(prompt.ids.size()))));
  return sequence;
}

// The decoder's logits beside those of MLX's own operations.
void compare(const qwen3_vl::Model& model, int tokens, int count) {
  std::vector<qwen3_vl::Sequence> ours, theirs;
  std::vector<int> ids;
  for (int i = 0; i < count; ++i) {
    const auto prompt = random_prompt(tokens + i * 5, i);
    ours.push_back(filled(model, prompt));
    theirs.push_back(filled(model, prompt));
    ids.push_back(100 + i);
  }
  std::vector<qwen3_vl::Sequence*> our, their;
  for (auto& s : ours) our.push_back(&s);
  for (auto& s : theirs) their.push_back(&s);
  qwen3_vl::DeviceDecoder& decoder = *model.device_decoder();
  std::vector<int> ahead_ids;
  double worst = 0;
  int same = 0;
  for (int step = 0; step < 4; ++step) {
    const auto rows = decoder.logits(our, ids);
    std::vector<std::vector<int>> each;
    for (const int id : ids) each.push_back({id});
    mx::array logits = mx::contiguous(model.logits(model.step(their, each)));
    logits.eval();
    const float* data = logits.data<float>();
    for (int i = 0; i < count; ++i) {
      double difference = 0, length = 0;
      for (size_t j = 0; j < rows[i].size(); ++j) {
        const double want = data[i * rows[i].size() + j], d = rows[i][j] - want;
        difference += d * d, length += want * want;
      }
      worst = std::max(worst, std::sqrt(difference / length));
      const std::vector<float> want(data + i * rows[i].size(), data + (i + 1) * rows[i].size());
      same += argmax(rows[i]) == argmax(want);
      ids[i] = argmax(want);
    }
  }
  const bool good = worst < 0.05;
  std::printf(
      "%s decoder against MLX, %d sequences from %d tokens: largest relative difference %.4f, same "
      "token %d of %d\n",
      good ? "ok  " : "BAD ", count, tokens, worst, same, 4 * count);
  // Steps that run ahead on the device against one at a time.
  auto ahead = filled(model, random_prompt(tokens, 99)),
       alone = filled(model, random_prompt(tokens, 99));
  int picked = 5, wanted = 5, equal = 0;
  for (int step = 0; step < 40; ++step) {
    picked = decoder.likeliest({&ahead}, {picked})[0];
    ahead_ids.push_back(picked);
  }
  decoder.rest();
  for (int step = 0; step < 40; ++step) {
    wanted = argmax(decoder.logits({&alone}, {wanted})[0]);
    equal += wanted == ahead_ids[step];
  }
  std::printf("%s picks on the device: %d of 40 equal\n", equal == 40 ? "ok  " : "BAD ", equal);
  std::fflush(stdout);
}

void measure_decode(const qwen3_vl::Model& model, int count, int tokens, double weights) {
  std::vector<qwen3_vl::Sequence> sequences;
  std::vector<qwen3_vl::Sequence*> all;
  std::vector<int> ids;
  for (int i = 0; i < count; ++i)
    sequences.push_back(bench::random_context(model, random_prompt(tokens, i), i)),
        ids.push_back(i);
  for (auto& s : sequences) all.push_back(&s);
  for (int i = 0; i < 8; ++i) ids = model.device_decoder()->likeliest(all, ids);
  constexpr int steps = 60;
  std::vector<double> times;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < steps; ++i) ids = model.device_decoder()->likeliest(all, ids);
    times.push_back(seconds_since(start) / steps);
  }
  model.device_decoder()->rest();
  std::sort(times.begin(), times.end());
  std::printf(
      "decode, batch %d, from %d tokens: %.3f ms a step, %.0f tok/s, weights at %.2f TB/s\n", count,
      tokens, times[1] * 1e3, count / times[1], weights / times[1] * 1e-12);
  std::fflush(stdout);
}

// The same with tokens that are drawn, as Qwen3-VL's generation_config.json asks for, or from the
// whole vocabulary; `masked`: as under a grammar, of a mask that holds all.
void measure_drawn(const qwen3_vl::Model& model, int count, int tokens, int top_k, bool masked) {
  nn::SamplingOptions options;
  options.temperature = 0.7f, options.top_k = top_k, options.top_p = 0.8f;
  std::vector<qwen3_vl::Sequence> sequences;
  std::vector<nn::Sampler> samplers;
  for (int i = 0; i < count; ++i) {
    sequences.push_back(bench::random_context(model, random_prompt(tokens, i), i));
    options.seed = static_cast<uint64_t>(i);
    samplers.emplace_back(options);
  }
  std::vector<qwen3_vl::Sequence*> all;
  std::vector<qwen3_vl::TokenPick> picks;
  for (auto& s : sequences) all.push_back(&s);
  for (const auto& s : samplers) picks.push_back({&s, {}});
  if (masked)
    for (auto& pick : picks)
      pick.write_mask = [](std::span<uint64_t> mask) { std::ranges::fill(mask, ~uint64_t{0}); };
  std::vector<int> ids(static_cast<size_t>(count), 1);
  constexpr int warm_up = 8, steps = 100;
  Clock::time_point start;
  for (int i = 0; i < warm_up + steps; ++i) {
    if (i == warm_up) start = Clock::now();
    ids = model.device_decoder()->picked(all, ids, picks);
    for (size_t j = 0; j < ids.size(); ++j) samplers[j].take(ids[j]);
  }
  const double time = seconds_since(start) / steps;
  model.device_decoder()->rest();
  std::printf("decode %s with top-k %d and top-p 0.8, batch %d: %.3f ms a step, %.0f tok/s\n",
              masked ? "masked" : "drawn", top_k, count, time * 1e3, count / time);
  std::fflush(stdout);
}

// The same by MLX's own operations.
void measure_mlx_decode(const qwen3_vl::Model& model, int tokens) {
  auto sequence = filled(model, random_prompt(tokens, 0));
  constexpr int warm_up = 5, steps = 25;
  int id = 1;
  Clock::time_point start;
  for (int i = 0; i < warm_up + steps; ++i) {
    if (i == warm_up) start = Clock::now();
    id = static_cast<int>(mx::argmax(model.logits(model.step(sequence, id)), -1).item<uint32_t>());
  }
  const double time = seconds_since(start) / steps;
  std::printf("decode by MLX's operations, from %d tokens: %.3f ms a step, %.0f tok/s\n", tokens,
              time * 1e3, 1 / time);
  std::fflush(stdout);
}

void measure_prefill(const qwen3_vl::Model& model, int tokens, int chunk) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const auto prompt = random_prompt(tokens, round);
    auto sequence = model.begin(prompt);
    const auto start = Clock::now();
    for (int end = std::min(chunk, tokens);; end = std::min(tokens, end + chunk)) {
      mx::eval(last_hidden(model.prefill(sequence, prompt, std::nullopt, end)));
      if (end == tokens) break;
    }
    best = std::min(best, seconds_since(start));
  }
  std::printf("prefill %d in chunks of %d: %.1f ms, %.0f tok/s\n", tokens, chunk, best * 1e3,
              tokens / best);
  std::fflush(stdout);
}

void measure_picture(const qwen3_vl::Model& model) {
  qwen3_vl::PatchRows rows;
  rows.grid = {1, 68, 120};  // 1920 x 1088
  rows.table = qwen3_vl::LevelTable::of(qwen3_vl::ProcessorConfig{});
  rows.levels.resize(static_cast<size_t>(rows.grid.patches()) * 1536);
  for (size_t i = 0; i < rows.levels.size(); ++i)
    rows.levels[i] = static_cast<uint8_t>(i * 2654435761u >> 8);
  for (int round = 0; round < 3; ++round) {
    auto prompt = random_prompt(30 + 34 * 60, 3);
    prompt.spans.push_back({10, 34, 60});
    const auto start = Clock::now();
    const auto features = model.encode(rows);
    mx::eval(features.embeddings);
    const double vision = seconds_since(start);
    auto sequence = model.begin(prompt);
    const mx::array tail =
        last_hidden(model.prefill(sequence, prompt, features, static_cast<int>(prompt.ids.size())));
    mx::array logits = mx::argmax(model.logits(tail), -1);
    std::vector<int> ids{static_cast<int>(logits.item<uint32_t>())};
    const double prefill = seconds_since(start);
    for (int i = 0; i < 99; ++i) ids = model.device_decoder()->likeliest({&sequence}, ids);
    const double all = seconds_since(start);
    model.device_decoder()->rest();
    std::printf(
        "1080p picture (patches ready) + 100 tokens: vision %.0f ms, prefill %.0f ms, decode %.0f "
        "ms, all %.3f s\n",
        vision * 1e3, (prefill - vision) * 1e3, (all - prefill) * 1e3, all);
  }
  std::fflush(stdout);
}

// What a step of one token reads: all but the embedding, the tower and experts that are not chosen.
double step_bytes(const qwen3_vl::Config& config) {
  const auto& text = config.text;
  double layer = text.hidden_size * (2.0 * text.heads + 2.0 * text.key_value_heads) * text.head_dim;
  if (text.experts)
    layer += static_cast<double>(text.hidden_size) *
             (text.experts->experts +
              3.0 * text.experts->experts_per_token * text.experts->intermediate_size);
  else
    layer += 3.0 * text.hidden_size * text.intermediate_size;
  const auto quantization = config.file.find("quantization");
  const double each =
      quantization == config.file.end() ? 2 : (*quantization)["bits"].get<int>() / 8.0 + 4.0 / 64;
  return each * (static_cast<double>(text.vocabulary) * text.hidden_size + text.layers * layer);
}

int run(const std::string& folder, bool all) {
  mx::set_default_device(mx::Device::gpu);
  auto start = Clock::now();
  const auto model = qwen3_vl::Model::load(folder);
  std::printf("load: %.2f s, %.2f GB\n", seconds_since(start), model.weight_bytes() * 1e-9);
  std::fflush(stdout);
  if (!model.device_decoder()) {
    std::printf("BAD  no decoder for this model\n");
    return 1;
  }
  const double weights = step_bytes(model.config());
  for (const int tokens : {128, 2048}) measure_decode(model, 1, tokens, weights);
  for (const int count : {8, 32}) measure_decode(model, count, 128, weights);
  for (const int count : {1, 32})
    for (const int top_k : {20, 0})
      for (const bool masked : {false, true}) measure_drawn(model, count, 128, top_k, masked);
  if (!all) return 0;
  measure_mlx_decode(model, 128);
  measure_prefill(model, 8192, 8192);
  measure_prefill(model, 8192, 2048);
  measure_picture(model);
  compare(model, 37, 1);
  compare(model, 300, 3);
  compare(model, 20, 12);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string what = argc > 2 ? argv[1] : "";
    if (what == "make" && argc == 5) {
      mx::set_default_device(mx::Device::gpu);
      bench::write_random_checkpoint(argv[2], bench::named_shape(argv[3]), std::stoi(argv[4]));
      return 0;
    }
    if (what == "run" || what == "decode") return run(argv[2], what == "run");
    std::fprintf(stderr, "usage: %s make FOLDER 2b|8b|30b-a3b BITS | run|decode FOLDER\n", argv[0]);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

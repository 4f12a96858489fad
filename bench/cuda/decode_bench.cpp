// Qwen3-VL on an NVIDIA GPU with random weights of a given seed.
//   cuda_decode_bench make FOLDER SHAPE BITS   writes a checkpoint (SHAPE 8b or 2b; BITS 16:
//   bfloat16) cuda_decode_bench run FOLDER               checks the decoder against MLX, then
//   measures
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "models/qwen3_vl/device_decoder.h"
#include "models/qwen3_vl/model.h"

namespace {

using namespace prismvid;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Shape {
  int hidden, inner, layers, heads, key_value_heads, vision_hidden, vision_inner, vision_depth;
};

constexpr int kVocabulary = 151936, kHeadDim = 128;

Shape shape_of(const std::string& name) {
  if (name == "8b") return {4096, 12288, 36, 32, 8, 1152, 4304, 27};
  return {2048, 6144, 28, 16, 8, 1024, 4096, 24};
}

class Writer {
 public:
  Writer(std::string folder, int bits) : folder_(std::move(folder)), bits_(bits) {}

  void matrix(const std::string& path, int rows, int columns, bool packed) {
    const mx::array values =
        mx::astype(mx::random::normal({rows, columns}, mx::float32, 0,
                                      1 / std::sqrt(float(columns)), mx::random::key(++seed_)),
                   mx::bfloat16);
    if (!packed || bits_ == 16) return add(path + ".weight", values);
    const auto parts = mx::quantize(values, 64, bits_);
    add(path + ".weight", parts[0]);
    add(path + ".scales", parts[1]);
    add(path + ".biases", parts[2]);
  }
  void vector(const std::string& path, int size, float middle) {
    add(path,
        mx::astype(mx::random::normal({size}, mx::float32, middle, 0.1f, mx::random::key(++seed_)),
                   mx::bfloat16));
  }
  void add(const std::string& name, mx::array values) {
    values.eval();
    bytes_ += values.nbytes();
    tensors_.emplace(name, values);
    if (bytes_ > (size_t{1} << 30)) flush();
  }
  void flush() {
    if (tensors_.empty()) return;
    mx::save_safetensors(folder_ + "/model-" + std::to_string(++files_) + ".safetensors", tensors_);
    tensors_.clear();
    bytes_ = 0;
  }

 private:
  std::string folder_;
  int bits_, files_ = 0;
  uint64_t seed_ = 0;
  size_t bytes_ = 0;
  std::unordered_map<std::string, mx::array> tensors_;
};

void make(const std::string& folder, const std::string& shape_name, int bits) {
  const Shape s = shape_of(shape_name);
  nlohmann::json config = {{"model_type", "qwen3_vl"},
                           {"tie_word_embeddings", false},
                           {"image_token_id", 151655},
                           {"video_token_id", 151656},
                           {"vision_start_token_id", 151652},
                           {"vision_end_token_id", 151653},
                           {"text_config",
                            {{"model_type", "qwen3_vl_text"},
                             {"hidden_size", s.hidden},
                             {"intermediate_size", s.inner},
                             {"num_hidden_layers", s.layers},
                             {"num_attention_heads", s.heads},
                             {"num_key_value_heads", s.key_value_heads},
                             {"head_dim", kHeadDim},
                             {"vocab_size", kVocabulary},
                             {"max_position_embeddings", 262144},
                             {"rms_norm_eps", 1e-6},
                             {"rope_theta", 5000000.0},
                             {"hidden_act", "silu"},
                             {"rope_scaling",
                              {{"rope_type", "default"},
                               {"mrope_interleaved", true},
                               {"mrope_section", {24, 20, 20}}}}}},
                           {"vision_config",
                            {{"depth", s.vision_depth},
                             {"hidden_size", s.vision_hidden},
                             {"intermediate_size", s.vision_inner},
                             {"num_heads", 16},
                             {"in_channels", 3},
                             {"patch_size", 16},
                             {"temporal_patch_size", 2},
                             {"spatial_merge_size", 2},
                             {"out_hidden_size", s.hidden},
                             {"num_position_embeddings", 2304},
                             {"deepstack_visual_indexes", {8, 16, 24}},
                             {"hidden_act", "gelu_pytorch_tanh"}}}};
  if (s.vision_depth == 24) config["vision_config"]["deepstack_visual_indexes"] = {5, 11, 17};
  if (bits < 16) config["quantization"] = {{"group_size", 64}, {"bits", bits}};
  std::ofstream(folder + "/config.json") << config.dump();
  Writer w(folder, bits);
  const std::string text = "model.language_model.", vision = "model.visual.";
  w.matrix(text + "embed_tokens", kVocabulary, s.hidden, true);
  w.matrix("lm_head", kVocabulary, s.hidden, true);
  w.vector(text + "norm.weight", s.hidden, 1);
  for (int i = 0; i < s.layers; ++i) {
    const std::string at = text + "layers." + std::to_string(i) + ".";
    w.vector(at + "input_layernorm.weight", s.hidden, 1);
    w.vector(at + "post_attention_layernorm.weight", s.hidden, 1);
    w.vector(at + "self_attn.q_norm.weight", kHeadDim, 1);
    w.vector(at + "self_attn.k_norm.weight", kHeadDim, 1);
    w.matrix(at + "self_attn.q_proj", s.heads * kHeadDim, s.hidden, true);
    w.matrix(at + "self_attn.k_proj", s.key_value_heads * kHeadDim, s.hidden, true);
    w.matrix(at + "self_attn.v_proj", s.key_value_heads * kHeadDim, s.hidden, true);
    w.matrix(at + "self_attn.o_proj", s.hidden, s.heads * kHeadDim, true);
    w.matrix(at + "mlp.gate_proj", s.inner, s.hidden, true);
    w.matrix(at + "mlp.up_proj", s.inner, s.hidden, true);
    w.matrix(at + "mlp.down_proj", s.hidden, s.inner, true);
  }
  const auto linear = [&](const std::string& path, int rows, int columns) {
    w.matrix(path, rows, columns, false);
    w.vector(path + ".bias", rows, 0);
  };
  const auto norm = [&](const std::string& path, int size) {
    w.vector(path + ".weight", size, 1);
    w.vector(path + ".bias", size, 0);
  };
  const int v = s.vision_hidden, joined = 4 * v;
  w.add(vision + "patch_embed.proj.weight",
        mx::astype(mx::random::normal({v, 3, 2, 16, 16}, mx::float32, 0, 0.02f, mx::random::key(7)),
                   mx::bfloat16));
  w.vector(vision + "patch_embed.proj.bias", v, 0);
  w.matrix(vision + "pos_embed", 2304, v, false);
  for (int i = 0; i < s.vision_depth; ++i) {
    const std::string at = vision + "blocks." + std::to_string(i) + ".";
    norm(at + "norm1", v);
    norm(at + "norm2", v);
    linear(at + "attn.qkv", 3 * v, v);
    linear(at + "attn.proj", v, v);
    linear(at + "mlp.linear_fc1", s.vision_inner, v);
    linear(at + "mlp.linear_fc2", v, s.vision_inner);
  }
  const auto merger = [&](const std::string& at, int width) {
    norm(at + "norm", width);
    linear(at + "linear_fc1", joined, joined);
    linear(at + "linear_fc2", s.hidden, joined);
  };
  merger(vision + "merger.", v);
  for (int i = 0; i < 3; ++i)
    merger(vision + "deepstack_merger_list." + std::to_string(i) + ".", joined);
  w.flush();
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
    sequences.push_back(filled(model, random_prompt(tokens, i))), ids.push_back(i);
  for (auto& s : sequences) all.push_back(&s);
  for (int i = 0; i < 8; ++i) ids = model.device_decoder()->likeliest(all, ids);
  const int steps = count > 1 ? 60 : 200;
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
  rows.values.resize(static_cast<size_t>(rows.grid.patches()) * 1536);
  for (size_t i = 0; i < rows.values.size(); ++i)
    rows.values[i] = static_cast<float>((i * 2654435761u >> 8) % 2000) / 1000.0f - 1;
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

int run(const std::string& folder) {
  mx::set_default_device(mx::Device::gpu);
  auto start = Clock::now();
  const auto model = qwen3_vl::Model::load(folder);
  std::printf("load: %.2f s, %.2f GB\n", seconds_since(start), model.weight_bytes() * 1e-9);
  std::fflush(stdout);
  if (!model.device_decoder()) {
    std::printf("BAD  no decoder for this model\n");
    return 1;
  }
  // What a step reads: all but the embedding and the tower.
  const auto& text = model.config().text;
  double numbers = static_cast<double>(text.vocabulary) * text.hidden_size;
  numbers += static_cast<double>(text.layers) *
             (text.hidden_size * (2.0 * text.heads + 2.0 * text.key_value_heads) * text.head_dim +
              3.0 * text.hidden_size * text.intermediate_size);
  const auto quantization = model.config().file.find("quantization");
  const double each = quantization == model.config().file.end()
                          ? 2
                          : (*quantization)["bits"].get<int>() / 8.0 + 4.0 / 64;
  for (const int tokens : {128, 2048}) measure_decode(model, 1, tokens, numbers * each);
  for (const int count : {8, 32}) measure_decode(model, count, 128, numbers * each);
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
      make(argv[2], argv[3], std::stoi(argv[4]));
      return 0;
    }
    if (what == "run") return run(argv[2]);
    std::fprintf(stderr, "usage: %s make FOLDER 8b|2b BITS | run FOLDER\n", argv[0]);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

// Times a whole checkpoint on the CPU kernels beside the machine's roof, measured in turns.
// Usage: model_bench FOLDER [--prefill N]... [--decode CONTEXT]... [--vision WxH] [--image WxH]
// [--repeats N] [--plain] [--precise] Prints one JSON object; times are medians in seconds.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/cpu.h"
#include "models/qwen3_vl/model.h"
#include "nn/sampler.h"
#include "roof.h"

namespace prismvid::bench {
namespace {

using namespace qwen3_vl;
using nlohmann::json;

constexpr int kStepsPerRound = 8;                           // tokens between two looks at the roof
constexpr std::size_t kReadBytes = std::size_t{512} << 20;  // about what a token reads

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

uint64_t resident_bytes() {
  uint64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

/// What quantised weights are multiplied with, and how often.
struct Products {
  Product kind = Product::kInt8;
  int times = 1;
};

Products products_of(const LoadOptions& load) {
  if (nn::kernels::chosen_isa() == nn::kernels::Isa::kAmx) return {Product::kBfloat16};
  if (!load.kernels || !load.kernels->precise) return {};
  return nn::kernels::is_x86(nn::kernels::chosen_isa()) ? Products{Product::kInt8, 2}
                                                        : Products{Product::kFloat32};
}

const char* name_of(Product product) {
  constexpr const char* kNames[] = {"f32", "bf16", "int8"};
  return kNames[static_cast<int>(product)];
}

struct Arguments {
  std::string folder;
  std::vector<int> prefills, contexts;
  int width = 0, height = 0, image_width = 0, image_height = 0, repeats = 5;
  LoadOptions load;
};

Arguments parse(int count, char** values) {
  Arguments a;
  for (int i = 1; i < count; ++i) {
    const std::string name = values[i];
    const auto next = [&] { return i + 1 < count ? values[++i] : "0"; };
    if (name == "--prefill")
      a.prefills.push_back(std::atoi(next()));
    else if (name == "--decode")
      a.contexts.push_back(std::atoi(next()));
    else if (name == "--vision")
      std::sscanf(next(), "%dx%d", &a.width, &a.height);
    else if (name == "--image")
      std::sscanf(next(), "%dx%d", &a.image_width, &a.image_height);
    else if (name == "--repeats")
      a.repeats = std::atoi(next());
    else if (name == "--plain")
      a.load.kernels.reset();
    else if (name == "--precise")
      a.load.kernels->precise = true;
    else
      a.folder = name;
  }
  return a;
}

class Measurement {
 public:
  explicit Measurement(const Arguments& a)
      : arguments_(a),
        products_(products_of(a.load)),
        pool_(available_threads()),
        memory_(written_memory()),
        before_(resident_bytes()),
        model_(load()) {}

  json run() {
    result_["weight_bytes"] = model_.weight_bytes();
    result_["resident_bytes_after_load"] = resident_bytes() - before_;
    result_["threads"] = pool_.threads();
    result_["isa"] = to_string(nn::kernels::chosen_isa());
    for (int tokens : arguments_.prefills) prefill(tokens);
    for (int context : arguments_.contexts) decode(context);
    if (arguments_.width > 0) vision();
    if (arguments_.image_width > 0) decode_beside_picture();
    result_["roof"] = {{"best_read_gb_per_s", roof_.best_read_gb_per_s},
                       {"f32_gop_per_s", roof_.f32_gop_per_s},
                       {"bf16_gop_per_s", roof_.bf16_gop_per_s},
                       {"int8_gop_per_s", roof_.int8_gop_per_s}};
    return result_;
  }

 private:
  static nn::kernels::AlignedMemory written_memory() {
    auto memory = nn::kernels::allocate_aligned(kReadBytes);
    std::fill_n(memory.get(), kReadBytes, std::uint8_t{1});
    return memory;
  }

  Model load() {
    std::optional<Model> model;
    result_["load_s"] = seconds([&] { model = Model::load(arguments_.folder, arguments_.load); });
    return std::move(*model);
  }

  void look_at_roof() { measure_roof(pool_, memory_.get(), kReadBytes, roof_); }

  double product_rate() { return product_gop_per_s(pool_, products_.kind) / products_.times; }
  double read_rate() { return read_gb_per_s(pool_, memory_.get(), kReadBytes); }

  static Prompt prompt_of(int tokens) {
    Prompt prompt;
    for (int i = 0; i < tokens; ++i) prompt.ids.push_back(1000 + i * 7919 % 100000);
    return prompt;
  }

  // Stops MLX from making the graph of several chunks at once, as generation does.
  mx::array filled(Sequence& sequence, const Prompt& prompt) {
    constexpr int kChunk = 512;
    const int size = static_cast<int>(prompt.ids.size());
    std::optional<mx::array> tail;
    while (sequence.size() < size) {
      const mx::array hidden =
          model_.prefill(sequence, prompt, std::nullopt, std::min(size, sequence.size() + kChunk));
      const int last = hidden.shape(1);
      tail = mx::slice(hidden, {0, last - 1, 0}, {1, last, hidden.shape(2)});
      mx::eval(*tail);
    }
    mx::array logits = model_.logits(*tail);
    mx::eval(logits);
    return logits;
  }

  void prefill(int tokens) {
    const Prompt prompt = prompt_of(tokens);
    std::vector<double> times, gops;
    look_at_roof();
    double before = product_rate();
    for (int i = 0; i < arguments_.repeats; ++i) {
      Sequence sequence = model_.begin(prompt);
      times.push_back(seconds([&] { filled(sequence, prompt); }));
      const double after = product_rate();
      gops.push_back((before + after) / 2 * times.back());
      before = after;
    }
    // What was multiplied over what products alone come to in its time, before and after, is its
    // share.
    result_["prefill"].push_back({{"tokens", tokens},
                                  {"s", median(times)},
                                  {"products", name_of(products_.kind)},
                                  {"plain_gop", median(gops)}});
  }

  void decode(int context) {
    const Prompt prompt = prompt_of(context);
    Sequence sequence = model_.begin(prompt);
    mx::array logits = filled(sequence, prompt);
    const auto step = [&] {
      const int id = nn::argmax({logits.data<float>(), logits.size()});
      logits = model_.logits(model_.step(sequence, id));
      mx::eval(logits);
    };
    std::vector<double> times, read_gb;
    for (int round = 0; round < arguments_.repeats; ++round) {
      look_at_roof();
      for (int i = 0; i < kStepsPerRound; ++i) {
        times.push_back(seconds(step));
        read_gb.push_back(read_rate() * times.back());
      }
    }
    // What a token reads over what is read plainly in its time, right behind it, is its share:
    // memory changes its speed within seconds.
    result_["decode"].push_back(
        {{"context", context}, {"s", median(times)}, {"plain_read_gb", median(read_gb)}});
  }

  /// A picture of the asked size, of any colours.
  PatchRows picture(int width, int height) const {
    const int unit = 32;
    PatchRows rows{{1, height / unit * 2, width / unit * 2}, {}, LevelTable::of(ProcessorConfig{})};
    rows.levels.resize(static_cast<size_t>(rows.grid.patches()) *
                       model_.config().vision.patch_values());
    for (size_t i = 0; i < rows.levels.size(); ++i)
      rows.levels[i] = static_cast<uint8_t>(i * 2654435761u >> 8);
    return rows;
  }

  /// Tokens behind a picture and behind as much text, in turns.
  void decode_beside_picture() {
    const PatchRows rows = picture(arguments_.image_width, arguments_.image_height);
    const VisualSpan span{16, rows.grid.h / 2, rows.grid.w / 2};
    const Prompt text = prompt_of(span.end() + 16);
    Prompt shown = text;
    std::fill_n(shown.ids.begin() + span.start, span.tokens(), model_.config().image_token);
    shown.spans = {span};
    Sequence sequences[] = {model_.begin(shown), model_.begin(text)};
    const int size = static_cast<int>(text.ids.size());
    mx::eval(model_.prefill(sequences[0], shown, model_.encode(rows), size));
    mx::eval(model_.prefill(sequences[1], text, std::nullopt, size));
    std::vector<double> times[2];
    for (int i = 0; i < arguments_.repeats * kStepsPerRound; ++i)
      for (const int which : {i % 2, 1 - i % 2})
        times[which].push_back(
            seconds([&] { mx::eval(model_.logits(model_.step(sequences[which], 1000 + i))); }));
    result_["behind_picture"] = {
        {"context", size}, {"s", median(times[0])}, {"text_s", median(times[1])}};
  }

  void vision() {
    const PatchRows rows = picture(arguments_.width, arguments_.height);
    std::vector<double> times;
    for (int i = 0; i < arguments_.repeats; ++i) {
      look_at_roof();
      times.push_back(seconds([&] {
        VisionFeatures features = model_.encode(rows);
        std::vector<mx::array> outputs = features.deepstack;
        outputs.push_back(features.embeddings);
        mx::eval(outputs);
      }));
    }
    result_["vision"] = {{"patches", rows.grid.patches()}, {"s", median(times)}};
  }

  const Arguments& arguments_;
  const Products products_;
  nn::kernels::ThreadPool pool_;
  nn::kernels::AlignedMemory memory_;
  Roof roof_;
  json result_;
  uint64_t before_;
  Model model_;
};

}  // namespace
}  // namespace prismvid::bench

int main(int argc, char** argv) {
  const auto arguments = prismvid::bench::parse(argc, argv);
  std::cout << prismvid::bench::Measurement(arguments).run().dump(1) << "\n";
}

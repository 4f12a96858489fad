#include "models/qwen3_vl/model.h"

#include <algorithm>
#include <atomic>

#include "core/error.h"
#include "core/memory.h"
#include "models/qwen3_vl/checkpoint.h"
#include "models/qwen3_vl/cpu_step.h"
#include "models/qwen3_vl/device_decoder.h"

namespace prismvid::qwen3_vl {
namespace {

constexpr const char* kPatchEmbedding = "model.visual.patch_embed.proj.weight";

void check_fits_memory(const Checkpoint& checkpoint, const LoadOptions& options) {
  uint64_t needed = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const bool cast = options.dtype && mx::issubdtype(tensor.dtype(), mx::floating);
    needed += tensor.size() * (cast ? mx::size_of(*options.dtype) : tensor.itemsize());
  }
  const uint64_t memory = machine_memory_bytes();
  check(needed < memory, ErrorCode::kModel, checkpoint.folder.string(), " needs ", needed >> 20,
        " MB for its weights alone, this machine has ", memory >> 20,
        " MB; take a smaller or more quantised one");
}

// For each prompt token of [begin, end): the row of its visual feature, or -1.
std::vector<int> visual_rows(const std::vector<VisualSpan>& spans, int begin, int end) {
  std::vector<int> rows(end - begin, -1);
  int row = 0;
  for (const VisualSpan& span : spans) {
    for (int i = std::max(begin, span.start); i < std::min(end, span.end()); ++i)
      rows[i - begin] = row + i - span.start;
    row += span.tokens();
  }
  return rows;
}

// Rows of `features` where a token is visual, of `others` (tokens, width) elsewhere. One token is
// visual at least; of the features only what lies between the first and the last row is copied.
mx::array mixed(const mx::array& others, const mx::array& features, const std::vector<int>& rows) {
  const int last = *std::max_element(rows.begin(), rows.end());
  int first = last;
  for (const int row : rows)
    if (row >= 0) first = std::min(first, row);
  std::vector<int> source(rows.size());
  const int tokens = others.shape(0);
  for (size_t i = 0; i < rows.size(); ++i)
    source[i] = rows[i] < 0 ? static_cast<int>(i) : tokens + rows[i] - first;
  const mx::array shown = mx::slice(features, {first, 0}, {last + 1, features.shape(1)});
  const mx::array all = mx::concatenate({others, mx::astype(shown, others.dtype())}, 0);
  return mx::take(all, mx::array(source.begin(), {static_cast<int>(source.size())}), 0);
}

}  // namespace

Model::Model(Config config, nn::Weights& weights)
    : config_(std::move(config)), language_(config_.text, config_.tied_head, weights) {
  if (weights.has(kPatchEmbedding)) vision_.emplace(config_.vision, weights);
}

Model Model::load(const std::filesystem::path& folder, const LoadOptions& options) {
  Checkpoint checkpoint = open_checkpoint(folder);
  const auto key_value_format =
      nn::KeyValueFormat::of(options.key_value_bits, checkpoint.config.text.head_dim);
  check_fits_memory(checkpoint, options);
  std::shared_ptr<const nn::KernelRuntime> kernels;
  if (options.kernels && mx::default_device() == mx::Device::cpu)
    kernels = std::make_shared<const nn::KernelRuntime>(*options.kernels);
  nn::Weights weights(std::move(checkpoint.tensors), std::move(checkpoint.quantization),
                      options.dtype, std::move(kernels));
  Model model(std::move(checkpoint.config), weights);
  weights.finish(folder.string());
  model.weight_bytes_ = weights.evaluate();
  model.key_value_format_ = key_value_format;
  if (!key_value_format.is_quantized()) {
    model.decoder_ = make_device_decoder(model.language_, model.config_.text);
    model.steps_on_cpu_ = can_step_on_cpu(model.language_);
  }
  return model;
}

VisionFeatures Model::encode(const PatchRows& rows, const Trace& trace) const {
  check(has_vision(), ErrorCode::kModel,
        "this checkpoint is a text-only export: it has no vision tower, so it cannot look at "
        "images or videos");
  return (*vision_)(rows, trace);
}

Sequence Model::begin(const Prompt& prompt) const {
  const int tokens = static_cast<int>(prompt.ids.size());
  check(tokens > 0, ErrorCode::kInvalidArgument, "the prompt is empty");
  check(tokens < config_.text.max_positions, ErrorCode::kInvalidArgument, "the prompt has ", tokens,
        " tokens; the model takes ", config_.text.max_positions);
  for (const int id : prompt.ids)
    check(id >= 0 && id < config_.text.vocabulary, ErrorCode::kModel, "token ", id,
          " is not in the vocabulary of ", config_.text.vocabulary,
          ": tokenizer and model do not belong together");
  static std::atomic<uint64_t> begun = 0;
  return {++begun,
          std::vector<nn::KeyValueCache>(language_.layers(),
                                         nn::KeyValueCache(key_value_format_, tokens)),
          make_positions(tokens, prompt.spans)};
}

mx::array Model::prefill(Sequence& sequence, const Prompt& prompt,
                         const std::optional<VisionFeatures>& features, int end,
                         const Trace& trace) const {
  int visual_tokens = 0;
  for (const VisualSpan& span : prompt.spans) visual_tokens += span.tokens();
  const int given = features ? features->embeddings.shape(0) : 0;
  check(visual_tokens == given, ErrorCode::kInvalidArgument, "the prompt has places for ",
        visual_tokens, " visual tokens, but ", given, " were encoded");

  const int begin = sequence.size(), count = end - begin;
  const std::vector<int> rows = visual_rows(prompt.spans, begin, end);
  const bool visual = std::any_of(rows.begin(), rows.end(), [](int row) { return row >= 0; });
  mx::array h = language_.embed(mx::array(prompt.ids.begin() + begin, {count}));
  std::vector<mx::array> deepstack;
  if (visual) {
    const mx::array nothing = mx::zeros_like(h);
    h = mixed(h, features->embeddings, rows);
    for (const mx::array& level : features->deepstack)
      deepstack.push_back(mixed(nothing, level, rows));
  }
  const TextPosition position =
      visual ? TextPosition(text_rotation(sequence.positions, begin, count, config_.text))
             : TextPosition(sequence.positions.of_token[begin][0]);
  return language_.forward(h, position, deepstack, {{&sequence.caches, count}}, trace);
}

mx::array Model::step(const std::vector<Sequence*>& sequences,
                      const std::vector<std::vector<int>>& ids) const {
  check(!ids.empty() && ids.size() == sequences.size(), ErrorCode::kInvalidArgument,
        "a step needs tokens for each of its sequences, got them for ", ids.size(), " of ",
        sequences.size());
  std::vector<int> all, positions;
  std::vector<SequencePart> parts;
  for (size_t i = 0; i < ids.size(); ++i) {
    int position = sequences[i]->size() + sequences[i]->positions.delta();
    for (const int id : ids[i]) {
      all.push_back(id);
      positions.push_back(position++);
    }
    parts.push_back({&sequences[i]->caches, static_cast<int>(ids[i].size())});
  }
  const bool all_begun = std::all_of(sequences.begin(), sequences.end(),
                                     [](const Sequence* sequence) { return sequence->size() > 0; });
  if (steps_on_cpu_ && all_begun && all.size() <= kMostTokensOfCpuStep)
    return step_on_cpu(language_, config_.text, all, positions, parts);
  const mx::array embeddings =
      language_.embed(mx::array(all.begin(), {static_cast<int>(all.size())}));
  const TextPosition position = parts.size() == 1
                                    ? TextPosition(positions[0])
                                    : TextPosition(text_rotation(positions, config_.text));
  return language_.forward(embeddings, position, {}, parts);
}

VisionFeatures concatenated(const std::vector<VisionFeatures>& parts) {
  std::vector<mx::array> embeddings;
  std::vector<std::vector<mx::array>> levels(parts.at(0).deepstack.size());
  for (const VisionFeatures& part : parts) {
    embeddings.push_back(part.embeddings);
    for (size_t i = 0; i < levels.size(); ++i) levels[i].push_back(part.deepstack[i]);
  }
  VisionFeatures all{mx::concatenate(embeddings, 0), {}};
  for (const auto& level : levels) all.deepstack.push_back(mx::concatenate(level, 0));
  return all;
}

}  // namespace prismvid::qwen3_vl

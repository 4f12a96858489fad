#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "core/error.h"
#include "models/qwen3_vl/cuda_layers.h"
#include "models/qwen3_vl/cuda_token_step.h"
#include "models/qwen3_vl/device_decoder.h"
#include "models/qwen3_vl/model.h"
#include "nn/cuda/device_array.h"
#include "nn/cuda/product.h"
#include "nn/cuda/token_sampler.h"

// One decode step is one CUDA graph over memory that stays: five kernels a layer, each of which
// starts fetching its weights before the one ahead of it has ended, or one of all layers
// (CudaTokenStep). What changes from step to step (tokens, positions, lengths) lies on the device
// and is moved on there, so that the host may lag behind.
namespace prismvid::qwen3_vl {
namespace {

using namespace prismvid::cuda;

constexpr int kAhead = 2;  // steps started before their tokens are read

// kDrawnAlone: from the logits of a step that picked nothing.
enum class Pick { kNothing, kLikeliest, kDrawn, kDrawnAlone };

TokenRule rule_of(const TokenPick& pick) {
  const nn::Sampler& sampler = *pick.sampler;
  const nn::SamplingOptions& o = sampler.options();
  return {o.temperature,
          o.top_k,
          o.top_p,
          o.min_p,
          o.presence_penalty,
          o.frequency_penalty,
          o.repetition_penalty,
          {sampler.counts().begin(), sampler.counts().end()},
          {o.logit_bias.begin(), o.logit_bias.end()},
          pick.write_mask != nullptr};
}

class CudaDecoder : public DeviceDecoder {
 public:
  CudaDecoder(const TextConfig& config, const CudaWeights& weights)
      : config_(config),
        layers_(weights.layers),
        embedding_(weights.embedding),
        head_(weights.head),
        last_norm_(weights.last_norm),
        kernels_(Kernels::instance()),
        tiles_(token_products(weights)) {
    kernels_.use();
    tiles_.make();  // where not, one token is multiplied as two are
    check_driver(cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING), "making a stream");
    for (CUevent& event : done_)
      check_driver(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING), "making an event");
    const int hidden = config.hidden_size;
    const size_t most = kMostTokens, heads = static_cast<size_t>(config.heads),
                 projected = (heads + 2 * config.key_value_heads) * kHeadDim;
    WorkspaceSizes sizes;
    const auto room_for = [&](int rows, int columns) {
      const WorkspaceSizes needed = workspace_sizes(rows, columns, kMostTokens);
      sizes.partial = std::max(sizes.partial, needed.partial);
      sizes.arranged = std::max(sizes.arranged, needed.arranged);
      sizes.arranged_sums = std::max(sizes.arranged_sums, needed.arranged_sums);
    };
    room_for(static_cast<int>(projected), hidden);
    room_for(hidden, static_cast<int>(heads) * kHeadDim);
    room_for(head_.rows, hidden);
    size_t inner = 0, experts = 0;  // of a token, the most of all layers
    for (const CudaLayer& layer : layers_) {
      if (const auto* mlp = std::get_if<CudaSwiGlu>(&layer.mlp)) {
        inner = std::max(inner, static_cast<size_t>(mlp->gate.rows));
        room_for(2 * mlp->gate.rows, hidden);
        room_for(hidden, mlp->gate.rows);
      } else {
        const ExpertPacking& packing = std::get<CudaExperts>(layer.mlp).packing;
        inner = std::max(inner, static_cast<size_t>(packing.chosen) * packing.inner);
        experts = std::max(experts, static_cast<size_t>(packing.experts));
        room_for(packing.experts, hidden);
      }
    }
    ids_ = DeviceBuffer(most * 4);
    positions_ = DeviceBuffer(most * 4);
    lengths_ = DeviceBuffer(most * 4);
    step_ = DeviceBuffer(most * 4);
    hidden_ = DeviceBuffer(most * hidden * 2);
    projected_ = DeviceBuffer(most * projected * 2);
    attended_ = DeviceBuffer(most * heads * kHeadDim * 2);
    gated_ = DeviceBuffer(most * inner * 2);
    if (experts > 0) scores_ = DeviceBuffer(most * experts * 4);
    logits_ = DeviceBuffer(most * head_.rows * 4);
    turns_ = DeviceBuffer(most * kHeadDim / 2 * sizeof(float2));
    partial_ = DeviceBuffer(sizes.partial);
    arranged_ = DeviceBuffer(sizes.arranged);
    arranged_sums_ = DeviceBuffer(sizes.arranged_sums);
    attention_partial_ = DeviceBuffer(kMostParts * kMostRows * (kHeadDim + 4) * 4);
    arrived_ = DeviceBuffer(kArrivedCounters * 4);
    attention_arrived_ = DeviceBuffer(most * config.key_value_heads * 4);
    greedy_arrived_ = DeviceBuffer(most * 4);
    greedy_partial_ = DeviceBuffer(most * std::max(kGreedyBlocks, kSampleBlocks) * sizeof(float2));
    caches_ = DeviceBuffer(layers_.size() * most * sizeof(LayerCache));
    const std::vector<float> frequencies = text_frequencies(config);
    frequencies_ = DeviceBuffer(frequencies.size() * 4);
    upload(frequencies_, frequencies);
    token_step_ = CudaTokenStep::make(
        config_, layers_, head_, last_norm_, tiles_,
        {turns_.as<float2>(), caches_.as<LayerCache>(), lengths_.as<int>(),
         attention_partial_.as<float>(), attention_arrived_.as<uint32_t>(), logits_.as<float>()});
  }

  ~CudaDecoder() override {
    cuStreamSynchronize(stream_);
    for (const auto& [key, graph] : graphs_) cuGraphExecDestroy(graph);
    for (CUevent event : done_) cuEventDestroy(event);
    cuStreamDestroy(stream_);
  }

  int most_sequences() const override { return kMostTokens; }

  std::vector<std::vector<float>> logits(const std::vector<Sequence*>& sequences,
                                         const std::vector<int>& ids) override {
    start(sequences, ids, 1);
    run(Pick::kNothing);
    const size_t width = static_cast<size_t>(head_.rows), count = sequences.size();
    if (!host_logits_ || host_rows_ < count) {
      host_logits_ = std::make_unique<HostBuffer>(count * width * 4);
      host_rows_ = count;
    }
    auto* data = host_logits_->host<float>();
    check_driver(cuMemcpyDtoHAsync(data, logits_.address(), count * width * 4, stream_),
                 "reading logits");
    finish();
    for (Sequence* sequence : sequences) advance(*sequence);
    std::vector<std::vector<float>> rows;
    for (size_t i = 0; i < count; ++i, data += width) rows.emplace_back(data, data + width);
    return rows;
  }

  std::vector<int> likeliest(const std::vector<Sequence*>& sequences,
                             const std::vector<int>& ids) override {
    return next_tokens(sequences, ids, {});
  }

  bool can_pick(const nn::SamplingOptions& options) const override {
    return options.top_k <= kMostTopK;
  }

  std::vector<int> picked(const std::vector<Sequence*>& sequences, const std::vector<int>& ids,
                          const std::vector<TokenPick>& picks) override {
    check(picks.size() == sequences.size(), ErrorCode::kInvalidArgument,
          "picking needs a sampler for each of ", sequences.size(), " sequences, got ",
          picks.size());
    return next_tokens(sequences, ids, picks);
  }

  void rest() override {
    if (!running_) return;
    cuStreamSynchronize(stream_);  // what failed is told by the next step
    running_ = false;
  }

 private:
  std::vector<int> next_tokens(const std::vector<Sequence*>& sequences, const std::vector<int>& ids,
                               const std::vector<TokenPick>& picks) {
    const bool masked =
        std::any_of(picks.begin(), picks.end(), [](const auto& pick) { return pick.write_mask; });
    const std::vector<const nn::Sampler*> samplers = samplers_of(picks);
    const bool goes_on = running_ && sequences == sequences_ && samplers == samplers_ &&
                         masked == masked_ && ids == tokens_ && states() == states_;
    if (!goes_on) {
      room_ = kSpan - longest(sequences) % kSpan;  // as long as choose_splits() stays the same
      start(sequences, ids, room_);
      samplers_ = samplers;
      masked_ = masked;
      start_drawing(picks);
      running_ = true;
      if (masked) run(Pick::kNothing);
    }
    if (masked)
      pick_masked(picks);
    else
      run_ahead(picks.empty() ? Pick::kLikeliest : Pick::kDrawn);
    const int slot = read_ % kHistory;
    check_driver(cuEventSynchronize(done_[slot]), "waiting for a token");
    const int* row = history_.host<int>() + slot * sequences.size();
    tokens_.assign(row, row + sequences.size());
    ++read_;
    for (Sequence* sequence : sequences) advance(*sequence);
    states_ = states();
    if (read_ == room_) {  // the caches are full
      finish();
      running_ = false;
    }
    return tokens_;
  }

  static std::vector<const nn::Sampler*> samplers_of(const std::vector<TokenPick>& picks) {
    std::vector<const nn::Sampler*> samplers;
    for (const TokenPick& pick : picks) samplers.push_back(pick.sampler);
    return samplers;
  }

  void start_drawing(const std::vector<TokenPick>& picks) {
    if (picks.empty()) return;
    if (!sampler_) sampler_.emplace(kMostTokens, head_.rows);
    std::vector<TokenRule> rules;
    for (const TokenPick& pick : picks) rules.push_back(rule_of(pick));
    sampler_->start(rules);
  }

  void run_ahead(Pick pick) {
    while (started_ < read_ + kAhead && started_ < room_) run(pick);
  }

  // The masks hang on the token before, so they are made while the device makes the logits; those
  // of the next step need only the token, which the device has.
  void pick_masked(const std::vector<TokenPick>& picks) {
    for (size_t i = 0; i < picks.size(); ++i)
      if (picks[i].write_mask) picks[i].write_mask(sampler_->mask(i));
    sampler_->send_masks(static_cast<int>(picks.size()), stream_);
    run(Pick::kDrawnAlone);
    if (started_ < room_) run(Pick::kNothing);
  }

  static constexpr int kMostParts = 4096;  // of the attention: tokens * key heads * splits
  static constexpr int kSpan =
      256;  // tokens; keys of a split, and how far steps run ahead of the host at most

  static void advance(Sequence& sequence) {
    for (nn::KeyValueCache& cache : sequence.caches) cache.advance(1);
  }
  // An address may be that of another sequence by now.
  std::vector<std::pair<uint64_t, int>> states() const {
    std::vector<std::pair<uint64_t, int>> states;
    for (const Sequence* sequence : sequences_) states.emplace_back(sequence->id, sequence->size());
    return states;
  }

  template <typename T>
  void upload(const DeviceBuffer& to, const std::vector<T>& values) {
    check_driver(cuMemcpyHtoD(to.address(), values.data(), values.size() * sizeof(T)),
                 "writing to the device");
  }

  void finish() { check_driver(cuStreamSynchronize(stream_), "running a step"); }

  // Puts the sequences where the kernels look, with room for `tokens` more.
  void start(const std::vector<Sequence*>& sequences, const std::vector<int>& ids, int tokens) {
    check(!ids.empty() && ids.size() == sequences.size() && ids.size() <= kMostTokens,
          ErrorCode::kInvalidArgument, "a step needs one token for each of its sequences, at most ",
          kMostTokens, ", got ", ids.size(), " for ", sequences.size());
    kernels_.use();
    finish();
    running_ = false;
    std::vector<mx::array> buffers;
    std::vector<int> positions, lengths;
    choose_splits(sequences);
    for (Sequence* sequence : sequences) {
      positions.push_back(sequence->size() + sequence->positions.delta());
      lengths.push_back(sequence->size());
      for (nn::KeyValueCache& cache : sequence->caches) {
        cache.reserve(sequence->size() + tokens);
        buffers.push_back(cache.key_buffer());
        buffers.push_back(cache.value_buffer());
      }
    }
    mx::eval(buffers);
    mx::synchronize();
    std::vector<LayerCache> table;
    for (size_t layer = 0; layer < layers_.size(); ++layer)
      for (const Sequence* sequence : sequences) {
        const nn::KeyValueCache& cache = sequence->caches[layer];
        table.push_back(
            {const_cast<bf16*>(static_cast<const bf16*>(device_data(cache.key_buffer()))),
             const_cast<bf16*>(static_cast<const bf16*>(device_data(cache.value_buffer()))),
             cache.key_buffer().shape(2), 0});
      }
    upload(caches_, table);
    upload(ids_, ids);
    upload(positions_, positions);
    upload(lengths_, lengths);
    upload(step_, std::vector<int>(ids.size(), 0));
    sequences_ = sequences;
    tokens_ = ids;
    states_ = states();
    started_ = read_ = 0;
  }

  static int longest(const std::vector<Sequence*>& sequences) {
    int tokens = 0;
    for (const Sequence* sequence : sequences) tokens = std::max(tokens, sequence->size());
    return tokens;
  }

  // Blocks for two on each multiprocessor, each with a few tiles of keys; powers of two, so that
  // few graphs are made. Follows from the sequences alone, not from how far steps run ahead:
  // another number of splits rounds differently.
  void choose_splits(const std::vector<Sequence*>& sequences) {
    constexpr int kMostSplits = 32;
    const int keys = (longest(sequences) / kSpan + 1) * kSpan;
    const int count = static_cast<int>(sequences.size());
    const int most =
        std::min(kMostSplits, 2 * kernels_.multiprocessors() / (config_.key_value_heads * count));
    splits_ = 1;
    while (2 * splits_ <= most && splits_ * kSpan < keys) splits_ *= 2;
  }

  void run(Pick pick) {
    if (pick == Pick::kDrawn || pick == Pick::kDrawnAlone)
      sampler_->set_uniforms(started_, uniforms());
    check_driver(cuGraphLaunch(graph(static_cast<int>(sequences_.size()), pick), stream_),
                 "starting a step");
    if (pick != Pick::kNothing)
      check_driver(cuEventRecord(done_[started_++ % kHistory], stream_), "recording a step");
  }

  // By which the step that is started next draws; those read have been taken from the samplers.
  std::vector<double> uniforms() const {
    std::vector<double> uniforms;
    for (const nn::Sampler* sampler : samplers_)
      uniforms.push_back(sampler->upcoming(started_ - read_ + 1).back());
    return uniforms;
  }

  CUgraphExec graph(int tokens, Pick pick) {
    const GraphKey key{tokens, splits_, pick};
    CUgraphExec& exec = graphs_[key];
    if (exec) return exec;
    if (tokens == 1 && token_step_) token_step_->prepare(splits_);
    check_driver(cuStreamBeginCapture(stream_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                 "recording a graph");
    CUgraph graph = nullptr;
    try {
      enqueue(tokens, pick);
    } catch (...) {
      cuStreamEndCapture(stream_, &graph);
      graphs_.erase(key);
      throw;
    }
    check_driver(cuStreamEndCapture(stream_, &graph), "recording a graph");
    check_driver(cuGraphInstantiate(&exec, graph, 0), "making a graph");
    cuGraphDestroy(graph);
    return exec;
  }

  // `a` with what all products of so many tokens have.
  void multiply_by(int bits, ProductArguments a, int tokens) {
    a.epsilon = config_.rms_norm_epsilon;
    a.partial = partial_.as<float>();
    a.arranged = arranged_.as<char>();
    a.arranged_sums = arranged_sums_.as<float>();
    a.arrived = arrived_.as<uint32_t>();
    a.tokens = tokens;
    a.tiles = tiles_.of(a);
    multiply(bits, a, stream_);
  }

  void project(const CudaLayer& layer, int tokens) {
    if (joins_projections(layer)) {
      multiply_by(layer.q.bits,
                  projection_product(layer, hidden_.as<bf16>(), projected_.as<bf16>()), tokens);
      return;
    }
    int first = 0;
    for (const PackedMatrix* matrix : {&layer.q, &layer.k, &layer.v}) {
      ProductArguments a =
          product_arguments(*matrix, hidden_.as<bf16>(), projected_.as<bf16>() + first);
      a.norm = layer.input_norm;
      a.stride = layer.q.rows + layer.k.rows + layer.v.rows;
      multiply_by(matrix->bits, a, tokens);
      first += matrix->rows;
    }
  }

  void attend(const CudaLayer& layer, size_t index, int tokens) {
    AttentionArguments a{};
    a.projected = projected_.as<bf16>();
    a.query_norm = layer.query_norm, a.key_norm = layer.key_norm;
    a.turns = turns_.as<float2>();
    a.caches = caches_.as<LayerCache>() + index * tokens;
    a.lengths = lengths_.as<int>();
    a.out = attended_.as<bf16>();
    a.partial = attention_partial_.as<float>();
    a.arrived = attention_arrived_.as<uint32_t>();
    a.key_heads = config_.key_value_heads;
    a.rows = config_.heads / config_.key_value_heads;
    a.splits = splits_;
    a.scale = 1.0f / std::sqrt(static_cast<float>(kHeadDim));
    a.epsilon = config_.rms_norm_epsilon;
    Launch plan;
    plan.function = kernels_.attention();
    plan.grid[0] = static_cast<unsigned>(a.key_heads);
    plan.grid[1] = static_cast<unsigned>(a.splits);
    plan.grid[2] = static_cast<unsigned>(tokens);
    plan.threads = kAttentionWarps * kWarp;
    plan.shared_bytes = attention_shared_bytes(a.rows);
    launch(plan, a, stream_);
  }

  void add_product(const PackedMatrix& matrix, const DeviceBuffer& x, int tokens) {
    ProductArguments a = product_arguments(matrix, x.as<bf16>(), hidden_.as<bf16>());
    a.residual = hidden_.as<bf16>();
    multiply_by(matrix.bits, a, tokens);
  }

  void feed_forward(const CudaLayer& layer, const CudaSwiGlu& mlp, int tokens) {
    ProductArguments a = gated_product(mlp, hidden_.as<bf16>(), gated_.as<bf16>());
    a.norm = layer.output_norm;
    multiply_by(mlp.gate.bits, a, tokens);
    add_product(mlp.down, gated_, tokens);
  }

  void feed_forward(const CudaLayer& layer, const CudaExperts& mlp, int tokens) {
    ProductArguments router =
        product_arguments(mlp.router, hidden_.as<bf16>(), scores_.as<float>());
    router.norm = layer.output_norm;
    router.float_output = 1;
    multiply_by(mlp.router.bits, router, tokens);
    const ExpertPacking& packing = mlp.packing;
    ExpertArguments a{};
    a.matrices[0] = mlp.gate, a.matrices[1] = mlp.up;
    a.scores = scores_.as<float>();
    a.x = hidden_.as<bf16>();
    a.norm = layer.output_norm;
    a.y = gated_.as<bf16>();
    a.epsilon = config_.rms_norm_epsilon;
    a.experts = packing.experts, a.chosen = packing.chosen, a.normalize = mlp.normalize;
    a.group = packing.group, a.rows = packing.inner, a.columns = packing.width;
    multiply_experts(ExpertPart::kGated, packing.bits, a, tokens, stream_);
    a.matrices[0] = mlp.down, a.matrices[1] = {};
    a.x = gated_.as<bf16>();
    a.norm = nullptr;
    a.residual = a.y = hidden_.as<bf16>();
    a.rows = packing.width, a.columns = packing.inner;
    multiply_experts(ExpertPart::kMixed, packing.bits, a, tokens, stream_);
  }

  void multiply_layers(int tokens) {
    for (size_t i = 0; i < layers_.size(); ++i) {
      const CudaLayer& layer = layers_[i];
      project(layer, tokens);
      attend(layer, i, tokens);
      add_product(layer.o, attended_, tokens);
      if (const auto* mlp = std::get_if<CudaSwiGlu>(&layer.mlp))
        feed_forward(layer, *mlp, tokens);
      else
        feed_forward(layer, std::get<CudaExperts>(layer.mlp), tokens);
    }
  }

  void enqueue(int tokens, Pick pick) {
    if (pick != Pick::kDrawnAlone) make_logits(tokens);
    if (pick != Pick::kNothing) pick_tokens(tokens, pick);
  }

  void make_logits(int tokens) {
    EmbedArguments e{};
    e.weight = embedding_.matrix.weight, e.scales = embedding_.matrix.scales;
    e.biases = embedding_.matrix.biases;
    e.ids = ids_.as<int>(), e.positions = positions_.as<int>();
    e.frequencies = frequencies_.as<float>();
    e.out = hidden_.as<bf16>();
    e.turns = turns_.as<float2>();
    e.columns = embedding_.columns, e.bits = embedding_.bits, e.group = embedding_.group;
    e.turn_count = kHeadDim / 2;
    e.turned_length = config_.yarn ? static_cast<float>(config_.yarn->attention_factor) : 1.0f;
    const bool in_one = tokens == 1 && token_step_;
    if (in_one) {
      token_step_->clear(stream_);
      e.out = token_step_->input();
    }
    launch({kernels_.embed(), {static_cast<unsigned>(tokens), 1, 1}, 256, 0}, e, stream_);
    if (in_one) {
      token_step_->start(splits_, stream_);
    } else {
      multiply_layers(tokens);
    }
    if (!in_one || !token_step_->has_head()) {
      ProductArguments a = product_arguments(
          head_, in_one ? token_step_->output() : hidden_.as<bf16>(), logits_.as<float>());
      a.norm = last_norm_;
      a.float_output = 1;
      multiply_by(head_.bits, a, tokens);
    }
  }

  void pick_tokens(int tokens, Pick pick) {
    GreedyArguments g{};
    g.logits = logits_.as<float>();
    g.partial = greedy_partial_.as<float2>();
    g.arrived = greedy_arrived_.as<uint32_t>();
    g.ids = ids_.as<int>(), g.positions = positions_.as<int>(), g.lengths = lengths_.as<int>();
    g.history = history_.device<int>();
    g.step = step_.as<int>();
    g.vocabulary = head_.rows;
    g.advance = 1;
    if (pick != Pick::kLikeliest) return sampler_->draw(g, tokens, stream_);
    launch({kernels_.pick_greedy(),
            {kGreedyBlocks, static_cast<unsigned>(tokens), 1},
            kGreedyThreads,
            0},
           g, stream_);
  }

  TextConfig config_;
  std::vector<CudaLayer> layers_;
  PackedMatrix embedding_, head_;
  const bf16* last_norm_;
  const Kernels& kernels_;
  WeightTiles tiles_;
  CUstream stream_ = nullptr;
  CUevent done_[kHistory] = {};
  using GraphKey = std::tuple<int, int, Pick>;  // tokens, splits
  std::map<GraphKey, CUgraphExec> graphs_;
  int splits_ = 1;  // of the keys, over blocks
  DeviceBuffer ids_, positions_, lengths_, step_, hidden_, projected_, attended_, gated_, scores_,
      logits_, turns_, partial_, arranged_, arranged_sums_, attention_partial_, arrived_,
      attention_arrived_, greedy_arrived_, greedy_partial_, caches_, frequencies_;
  HostBuffer history_{kHistory * kMostTokens * 4};
  std::unique_ptr<HostBuffer> host_logits_;
  size_t host_rows_ = 0;
  std::optional<TokenSampler> sampler_;  // made when first needed
  std::vector<Sequence*> sequences_;
  std::vector<const nn::Sampler*> samplers_;  // empty: the likeliest
  std::vector<int> tokens_;
  std::vector<std::pair<uint64_t, int>> states_;  // of the sequences, when last seen
  std::unique_ptr<CudaTokenStep> token_step_;     // null: a step of one sequence as of more
  bool running_ = false, masked_ = false;
  int started_ = 0, read_ = 0, room_ = 0;
};

}  // namespace

std::shared_ptr<DeviceDecoder> make_device_decoder(const LanguageModel& model,
                                                   const TextConfig& config) {
  if (mx::default_device() != mx::Device::gpu) return nullptr;
  auto weights = cuda_weights(model, config);
  return weights ? std::make_shared<CudaDecoder>(config, *weights) : nullptr;
}

}  // namespace prismvid::qwen3_vl

#include "prismvid/model.h"

#include <utility>

#include "api/conversation.h"
#include "core/error.h"
#include "inference/engine.h"

namespace prismvid {
namespace {

inference::LoadOptions load_options(const LoadOptions& options) {
  inference::LoadOptions load;
  load.device = options.device;
  load.precision = options.precision;
  load.threads = options.threads;
  load.precise = options.precise;
  return load;
}

inference::EngineOptions engine_options(const LoadOptions& options) {
  check(options.memory_gb >= 0, ErrorCode::kInvalidArgument, "memory_gb is at least 0, got ",
        options.memory_gb);
  inference::EngineOptions engine;
  engine.memory_bytes = static_cast<uint64_t>(options.memory_gb * 1e9);
  return engine;
}

std::shared_ptr<const grammar::Grammar> grammar_of(const GenerateOptions& options) {
  const int asked =
      !options.json_schema.empty() + !options.regex.empty() + !options.choices.empty();
  check(asked <= 1, ErrorCode::kInvalidArgument,
        "an answer has one form: give one of json_schema, regex and choices");
  if (!options.regex.empty()) return grammar::Grammar::regex(options.regex);
  if (!options.choices.empty()) return grammar::Grammar::choice(options.choices);
  if (options.json_schema.empty()) return nullptr;
  return grammar::Grammar::json_schema(api::read_json(options.json_schema, "json_schema"));
}

inference::GenerateOptions with_defaults(const GenerateOptions& options,
                                         inference::GenerateOptions result) {
  const auto set = [](auto& target, const auto& given) {
    if (given) target = *given;
  };
  result.max_tokens = options.max_tokens;
  set(result.sampling.temperature, options.temperature);
  set(result.sampling.top_k, options.top_k);
  set(result.sampling.top_p, options.top_p);
  set(result.sampling.min_p, options.min_p);
  set(result.sampling.presence_penalty, options.presence_penalty);
  set(result.sampling.frequency_penalty, options.frequency_penalty);
  set(result.sampling.repetition_penalty, options.repetition_penalty);
  result.sampling.logit_bias = options.logit_bias;
  result.sampling.seed = options.seed;
  result.stop_strings = options.stop;
  result.ignore_end = options.ignore_end;
  result.top_log_probabilities = options.logprobs;
  result.thinking_budget = options.thinking_budget;
  result.loop_guard = options.loop_guard;
  result.number_media = options.number_media;
  result.grammar = grammar_of(options);
  return result;
}

}  // namespace

struct Model::State {
  State(const std::string& checkpoint, const LoadOptions& options)
      : engine(checkpoint, load_options(options), engine_options(options)) {}
  inference::Engine engine;
};

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

int Model::count_tokens(const std::string& words) const {
  return state_->engine.planner().count_tokens(words);
}

Model load(const std::string& checkpoint, const LoadOptions& options) {
  return Model(std::make_unique<Model::State>(checkpoint, options));
}

Answer generate(const Model& model, const std::vector<Message>& messages,
                const GenerateOptions& options, const TokenCallback& on_token,
                std::stop_token stop) {
  inference::Engine& engine = model.state_->engine;
  auto ticket = engine.submit(
      {api::conversation_of(messages, options.tools), with_defaults(options, engine.defaults())},
      on_token);
  return ticket.get(std::move(stop));
}

}  // namespace prismvid

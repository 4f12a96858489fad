#include "server/engine_metrics.h"

#include "inference/engine.h"

namespace prismvid::server {
namespace {

using Labels = PrometheusText::Labels;

/// A metric whose samples a further label tells apart.
template <typename Value>
struct Share {
  const char* label;
  Value value;
};

template <typename Value>
void write_shares(PrometheusText& out, const Labels& labels, const char* name, const std::vector<Share<Value>>& shares) {
  for (const Share<Value>& share : shares) {
    Labels all = labels;
    all.emplace_back(name, share.label);
    out.sample(static_cast<double>(share.value), all);
  }
}

void write_requests(const inference::EngineMetrics& m, const Labels& labels, PrometheusText& out) {
  out.gauge("prismvid_engine_waiting_requests", "Requests that wait for a place.", m.waiting, labels);
  out.gauge("prismvid_engine_active_requests", "Requests that are worked on.", m.active, labels);
  out.begin("prismvid_engine_requests_total", "counter", "Requests by their end.");
  write_shares<uint64_t>(out, labels, "outcome", {{"answered", m.answered}, {"cancelled", m.cancelled}, {"failed", m.failed}, {"refused", m.refused}});
  out.histogram("prismvid_engine_step_requests", "Requests that a decode step works on together.", m.step_requests, labels);
  out.histogram("prismvid_engine_first_token_seconds", "From a request to its first token.", m.first_token_seconds, labels);
}

void write_tokens(const inference::EngineMetrics& m, const Labels& labels, PrometheusText& out) {
  const auto count = [&](const std::string& what, const char* help, uint64_t value) {
    out.counter("prismvid_engine_" + what + "_tokens_total", help, static_cast<double>(value), labels);
  };
  count("prompt", "Tokens of the prompts of started requests.", m.prompt_tokens);
  count("cached_prompt", "Of those, tokens that were not computed again.", m.cached_prompt_tokens);
  count("generated", "Tokens of answers.", m.tokens);
  count("drafted", "Tokens guessed ahead.", m.drafted_tokens);
  count("accepted", "Of those, tokens that were right.", m.accepted_tokens);
}

void write_use(const inference::EngineMetrics& m, const Labels& labels, PrometheusText& out) {
  out.begin("prismvid_engine_seconds_total", "counter", "Time that requests spent, those of one step each for itself.");
  write_shares<double>(out, labels, "phase",
                       {{"queue", m.queue_ms / 1000}, {"vision", m.vision_ms / 1000}, {"prefill", m.prefill_ms / 1000}, {"decode", m.decode_ms / 1000}});
  out.begin("prismvid_engine_cache_hit_bytes_total", "counter", "Vision features, and keys and values of prompts, that were found instead of computed.");
  write_shares<uint64_t>(out, labels, "cache", {{"features", m.feature_hit_bytes}, {"prefixes", m.prefix_hit_bytes}});
  out.begin("prismvid_engine_memory_bytes", "gauge", "Memory by use, requests by estimate.");
  write_shares<uint64_t>(out, labels, "use", {{"weights", m.weight_bytes}, {"requests", m.request_bytes}, {"caches", m.cache_bytes}});
  out.gauge("prismvid_engine_memory_budget_bytes", "What these may take together.", static_cast<double>(m.memory_budget_bytes), labels);
}

}  // namespace

void write_engine_metrics(SharedModels& models, PrometheusText& out) {
  models.look_at_loaded([&](deep::Model& model) {
    if (!model.engine()) return;
    const inference::EngineMetrics metrics = model.engine()->metrics();
    const Labels labels = {{"model", model.card().id}, {"device", model.card().device}};
    write_requests(metrics, labels, out);
    write_tokens(metrics, labels, out);
    write_use(metrics, labels, out);
  });
}

document::Json engine_health(SharedModels& models) {
  document::Json health = document::Json::object();
  models.look_at_loaded([&](deep::Model& model) {
    if (!model.engine()) return;
    const inference::EngineMetrics m = model.engine()->metrics();
    health = {{"active_requests", m.active},
              {"waiting_requests", m.waiting},
              {"memory_bytes", m.weight_bytes + m.request_bytes + m.cache_bytes},
              {"memory_budget_bytes", m.memory_budget_bytes}};
  });
  return health;
}

}  // namespace prismvid::server

#include "inference/engine.h"

#include <atomic>
#include <thread>

#include "core/error.h"
#include "inference/memory_use.h"
#include "inference/request_queue.h"
#include "inference/scheduler.h"
#include "inference/warm_up.h"

namespace prismvid::inference {

struct Ticket::Shared {
  std::stop_source stop;
  std::weak_ptr<RequestQueue> queue;  // the engine may be gone before its tickets
};

Answer Ticket::get(std::stop_token stop) {
  const std::stop_callback on_stop(stop, [this] { cancel(); });
  return answer_.get();
}

void Ticket::cancel() {
  shared_->stop.request_stop();
  if (const auto queue = shared_->queue.lock()) queue->ring();
}

struct Engine::State {
  std::shared_ptr<RequestQueue> queue;
  SharedMetrics metrics;
  std::atomic<Emptying> emptying = Emptying::kNone;
  std::promise<const LoadedModel*> loading;
  const LoadedModel* model = nullptr;  // lives as long as the thread
  uint64_t budget = 0;
  std::jthread thread;  // last: it uses the rest

  ~State() {
    if (queue) queue->close();  // ends the thread, also of an engine that could not be made
  }

  void run(const std::string& name, const LoadOptions& load, const EngineOptions& options) {
    std::optional<LoadedModel> loaded;
    std::optional<Caches> caches;
    try {
      loaded.emplace(load_model(name, load));
      if (mx::default_device() == mx::Device::gpu) warm_up(*loaded);
      caches.emplace(options.caches, loaded->identity);
    } catch (...) {
      return loading.set_exception(std::current_exception());
    }
    loading.set_value(&*loaded);
    Scheduler(*loaded, options, budget, *caches, *queue, metrics, emptying).serve();
    caches->features.flush();
    caches->prefixes.flush();
  }
};

uint64_t default_prefix_bytes() {
  return uint64_t{default_device() == Device::kCuda ? 4u : 1u} << 30;
}

Engine::Engine(const std::string& model, const LoadOptions& load, const EngineOptions& options)
    : state_(std::make_unique<State>()) {
  check(options.queue_limit > 0 && options.batch_limit > 0, ErrorCode::kInvalidArgument,
        "the engine needs room for 1 or more requests");
  state_->budget = options.memory_bytes > 0 ? options.memory_bytes : default_memory_budget();
  state_->queue = std::make_shared<RequestQueue>(static_cast<size_t>(options.queue_limit));
  state_->thread = std::jthread([=, state = state_.get()] { state->run(model, load, options); });
  state_->model = state_->loading.get_future().get();
  const uint64_t weights = state_->model->model.weight_bytes();
  state_->metrics.change([&](EngineMetrics& m) {
    m.weight_bytes = weights;
    m.memory_budget_bytes = state_->budget;
  });
  check(weights < state_->budget, ErrorCode::kUnavailable, "the weights of ", model, " take ",
        gigabytes(weights), ", the memory budget is ", gigabytes(state_->budget));
}

Engine::~Engine() = default;

const PromptPlanner& Engine::planner() const {
  return state_->model->planner;
}

GenerateOptions Engine::defaults() const {
  return default_options(planner());
}

Ticket Engine::submit(EngineRequest request, TokenCallback on_token) {
  const LoadedModel& model = *state_->model;
  check_has_vision(model, request.conversation);
  WaitingRequest waiting;
  waiting.priority = request.priority;
  waiting.start.planned = make_plan(model.parts(), request.conversation, request.options);
  waiting.bytes = request_bytes(model, waiting.start.planned, request.options);
  const uint64_t room = state_->budget - model.model.weight_bytes();
  check(waiting.bytes <= room, ErrorCode::kUnavailable, "this request needs about ",
        gigabytes(waiting.bytes), ", but the memory budget of ", gigabytes(state_->budget),
        " leaves ", gigabytes(room),
        " beside the weights: ask for fewer tokens, show less, or raise the budget");
  waiting.start.conversation = std::move(request.conversation);
  waiting.start.options = std::move(request.options);
  if (request.priority == Priority::kInteractive) waiting.start.prefix_owner = request.owner;
  waiting.start.feature_owner = std::move(request.owner);
  waiting.start.on_token = std::move(on_token);
  waiting.start.stop = waiting.stop.get_token();
  waiting.start.on_media = [queue = state_->queue] { queue->ring(); };

  Ticket ticket;
  ticket.shared_ = std::make_shared<Ticket::Shared>(Ticket::Shared{waiting.stop, state_->queue});
  ticket.answer_ = waiting.promise.get_future();
  const bool taken = state_->queue->push(std::move(waiting));
  if (!taken) state_->metrics.change([](EngineMetrics& m) { ++m.refused; });
  check(taken, ErrorCode::kUnavailable, "the model is busy and ", state_->queue->size(),
        " requests wait already: try again later");
  return ticket;
}

void Engine::empty_caches(Emptying how) {
  state_->emptying = how;
  state_->queue->ring();
}

EngineMetrics Engine::metrics() const {
  EngineMetrics metrics = state_->metrics.read();
  metrics.waiting = static_cast<int>(state_->queue->size());
  return metrics;
}

}  // namespace prismvid::inference

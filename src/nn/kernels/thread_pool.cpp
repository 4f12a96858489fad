#include "nn/kernels/thread_pool.h"

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

// About 100 us: longer than the gap between two kernels of a decode step.
constexpr int kSpins = 5000;

// Of `active_`: a worker may still come in. The other bits count those that have.
constexpr int kOpen = 1 << 30;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Returns once `value` is no longer `old`.
template <typename T>
void wait_while(const std::atomic<T>& value, T old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    pause_briefly();
  }
  value.wait(old, std::memory_order_acquire);
}

/// Counts a worker in, unless all tasks are given out.
bool enter(std::atomic<int>& active) {
  int inside = active.load(std::memory_order_acquire);
  while ((inside & kOpen) != 0)
    if (active.compare_exchange_weak(inside, inside + 1, std::memory_order_acq_rel)) return true;
  return false;
}

}  // namespace

void TaskRange::set(std::uint32_t first, std::uint32_t last) {
  ends_.store({first, last}, std::memory_order_relaxed);
}

std::optional<int> TaskRange::take_first() {
  Ends ends = ends_.load(std::memory_order_relaxed);
  while (ends.first < ends.last)
    if (ends_.compare_exchange_weak(ends, {ends.first + 1, ends.last}, std::memory_order_relaxed))
      return static_cast<int>(ends.first);
  return std::nullopt;
}

std::optional<int> TaskRange::take_last() {
  Ends ends = ends_.load(std::memory_order_relaxed);
  while (ends.first < ends.last)
    if (ends_.compare_exchange_weak(ends, {ends.first, ends.last - 1}, std::memory_order_relaxed))
      return static_cast<int>(ends.last - 1);
  return std::nullopt;
}

ThreadPool::ThreadPool(int threads) {
  check(threads >= 1, ErrorCode::kInvalidArgument, "thread pool: needs 1 thread or more, got ",
        threads);
  ranges_ = std::make_unique<TaskRange[]>(threads);
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  stop_ = true;
  ++round_;
  round_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadPool::parallel_for(int count, const std::function<void(int)>& task) {
  std::unique_lock lock(busy_, std::try_to_lock);
  if (count <= 1 || workers_.empty() || !lock.owns_lock()) {
    for (int i = 0; i < count; ++i) task(i);
    return;
  }
  task_ = &task;
  share_out(count);
  active_.store(kOpen, std::memory_order_release);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_tasks(0);
  // Nobody waits for a worker that still sleeps or has lost its core: what it could do is done.
  active_.fetch_and(~kOpen, std::memory_order_acq_rel);
  for (int left = active_.load(std::memory_order_acquire); left != 0;
       left = active_.load(std::memory_order_acquire))
    wait_while(active_, left);
}

void ThreadPool::share_out(int count) {
  const std::int64_t all = count;
  for (int i = 0; i < threads(); ++i)
    ranges_[i].set(static_cast<std::uint32_t>(all * i / threads()),
                   static_cast<std::uint32_t>(all * (i + 1) / threads()));
}

void ThreadPool::take_tasks(int thread) {
  while (const auto task = ranges_[thread].take_first()) (*task_)(*task);
  for (int i = 1; i < threads(); ++i)
    while (const auto task = ranges_[(thread + i) % threads()].take_last()) (*task_)(*task);
}

void ThreadPool::work(int thread) {
  for (std::uint32_t seen = 0;;) {
    wait_while(round_, seen);
    seen = round_.load(std::memory_order_acquire);
    if (stop_) return;
    if (!enter(active_)) continue;
    take_tasks(thread);
    if (active_.fetch_sub(1, std::memory_order_acq_rel) == 1) active_.notify_one();
  }
}

}  // namespace prismvid::nn::kernels

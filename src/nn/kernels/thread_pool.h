#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace prismvid::nn::kernels {

/// Tasks that are left of one thread's share: it takes the first, threads that have none the last.
class alignas(64) TaskRange {
 public:
  void set(std::uint32_t first, std::uint32_t last);
  std::optional<int> take_first();
  std::optional<int> take_last();

 private:
  struct Ends {
    std::uint32_t first, last;
  };
  std::atomic<Ends> ends_{Ends{0, 0}};
};

/// Fork-join threads for kernels of microseconds: waiting threads spin for a moment, then sleep.
/// The caller is one of the threads. Thread-safe: a call while another runs does its work alone.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(0) to task(count - 1), each once, and returns when all are done. Each thread begins
  /// with neighbouring tasks of its own, one behind the other, so that it reads on where it was.
  /// A task must not throw.
  void parallel_for(int count, const std::function<void(int)>& task);

 private:
  void work(int thread);
  void share_out(int count);
  void take_tasks(int thread);

  std::vector<std::thread> workers_;
  std::mutex busy_;
  const std::function<void(int)>* task_ = nullptr;
  std::unique_ptr<TaskRange[]> ranges_;  // of the caller and each worker
  std::atomic<int> active_{0};           // workers at tasks, and whether more may come in
  std::atomic<std::uint32_t> round_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace prismvid::nn::kernels

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace prismvid::nn::kernels {

/// Fork-join threads for kernels of microseconds: waiting threads spin for a moment, then sleep.
/// The caller is one of the threads. Thread-safe: a call while another runs does its work alone.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(0) to task(count - 1), each once and in any order, and returns when all are done.
  /// A task must not throw.
  void parallel_for(int count, const std::function<void(int)>& task);

 private:
  void work();
  void take_tasks();

  std::vector<std::thread> workers_;
  std::mutex busy_;
  const std::function<void(int)>* task_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};
  std::atomic<int> active_{0};  // workers at tasks, and whether more may come in
  std::atomic<std::uint32_t> round_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace prismvid::nn::kernels

#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace prismvid::vision {

/// Calls work(worker, i) for every i below `count`, at most one call at a time for each of
/// `workers`; the first exception is thrown again once all have stopped.
template <typename Work>
void parallel_for(size_t count, size_t workers, const Work& work) {
  std::atomic<size_t> next{0};
  std::exception_ptr problem;
  std::mutex problem_mutex;
  auto run = [&](size_t worker) {
    try {
      for (size_t i = next++; i < count; i = next++) work(worker, i);
    } catch (...) {
      next = count;
      const std::lock_guard lock(problem_mutex);
      if (!problem) problem = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (size_t worker = 1; worker < std::min(count, workers); ++worker)
      threads.emplace_back(run, worker);
    run(0);
  }
  if (problem) std::rethrow_exception(problem);
}

}  // namespace prismvid::vision

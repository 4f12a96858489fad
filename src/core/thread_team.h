#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace prismvid {

/// Threads that stay while work comes and goes: libraries keep state for each thread that calls
/// them, so a thread a call would be slow and let that state grow. One caller at a time.
class ThreadTeam {
 public:
  /// The caller is one of `size`, so size - 1 threads are started; at least 1.
  explicit ThreadTeam(size_t size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  size_t size() const { return threads_.size() + 1; }

  /// Calls work(member, i) once for every i below `count`, each member one call at a time, in the
  /// order of i; returns when all are done. The first exception is thrown again, and what had not
  /// begun by then is left out.
  void run(size_t count, const std::function<void(size_t member, size_t i)>& work);

 private:
  void wait_for_work(std::stop_token stop, size_t member);
  void take_part(size_t member);

  std::mutex mutex_;  // guards all below but threads_
  std::condition_variable_any changed_;
  const std::function<void(size_t, size_t)>* work_ = nullptr;
  size_t next_ = 0;
  size_t count_ = 0;
  size_t busy_ = 0;  // members that are inside work
  std::exception_ptr problem_;
  std::vector<std::jthread> threads_;  // last: stop before the rest goes
};

}  // namespace prismvid

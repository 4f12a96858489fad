#include "core/thread_team.h"

#include <algorithm>
#include <utility>

namespace prismvid {

ThreadTeam::ThreadTeam(size_t size) {
  for (size_t member = 1; member < std::max<size_t>(1, size); ++member)
    threads_.emplace_back([this, member](std::stop_token stop) { wait_for_work(stop, member); });
}

ThreadTeam::~ThreadTeam() = default;

void ThreadTeam::run(size_t count, const std::function<void(size_t, size_t)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    next_ = 0;
    count_ = count;
  }
  if (count > 1) changed_.notify_all();
  take_part(0);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return busy_ == 0; });
  work_ = nullptr;
  if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
}

void ThreadTeam::wait_for_work(std::stop_token stop, size_t member) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return work_ != nullptr && next_ < count_; })) return;
    }
    take_part(member);
  }
}

void ThreadTeam::take_part(size_t member) {
  std::unique_lock lock(mutex_);
  while (work_ != nullptr && next_ < count_) {
    const size_t i = next_++;
    ++busy_;
    lock.unlock();
    std::exception_ptr problem;
    try {
      (*work_)(member, i);
    } catch (...) {
      problem = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (problem && !problem_) problem_ = problem;
    if (problem) next_ = count_;
  }
  if (busy_ == 0) changed_.notify_all();
}

}  // namespace prismvid

#include "inference/request_queue.h"

#include <algorithm>
#include <iterator>

namespace prismvid::inference {

bool RequestQueue::push(WaitingRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || interactive_.size() + batch_.size() >= limit_) return false;
    list_of(request.priority).push_back(std::move(request));
  }
  ring();
  return true;
}

std::optional<WaitingRequest> RequestQueue::pop(
    const std::function<bool(const WaitingRequest&)>& fits) {
  const std::lock_guard lock(mutex_);
  for (auto* list : {&interactive_, &batch_}) {
    if (list->empty() || !fits(list->front())) continue;
    WaitingRequest request = std::move(list->front());
    list->pop_front();
    return request;
  }
  return std::nullopt;
}

std::vector<WaitingRequest> RequestQueue::take_cancelled() {
  const std::lock_guard lock(mutex_);
  std::vector<WaitingRequest> taken;
  for (auto* list : {&interactive_, &batch_}) {
    const auto first = std::stable_partition(
        list->begin(), list->end(),
        [](const WaitingRequest& request) { return !request.stop.stop_requested(); });
    std::move(first, list->end(), std::back_inserter(taken));
    list->erase(first, list->end());
  }
  return taken;
}

void RequestQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto* list : {&interactive_, &batch_})
      for (WaitingRequest& request : *list) request.stop.request_stop();
  }
  ring();
}

bool RequestQueue::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

size_t RequestQueue::size() const {
  const std::lock_guard lock(mutex_);
  return interactive_.size() + batch_.size();
}

void RequestQueue::ring() {
  {
    const std::lock_guard lock(mutex_);
    rung_ = true;
  }
  bell_.notify_one();
}

void RequestQueue::wait() {
  std::unique_lock lock(mutex_);
  bell_.wait(lock, [&] { return rung_; });
  rung_ = false;
}

}  // namespace prismvid::inference

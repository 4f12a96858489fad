#include "pipeline/stage_worker.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace prismvid::pipeline {

StageWorker::StageWorker(RunningStage& stage, size_t most_waiting)
    : stage_(stage),
      most_waiting_(std::max<size_t>(1, most_waiting)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

StageWorker::~StageWorker() = default;

void StageWorker::push(std::shared_ptr<const SampleWork> work) {
  wait_until_fewer_than(most_waiting_);
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  changed_.notify_all();
}

void StageWorker::wait() { wait_until_fewer_than(1); }

std::vector<Blob> StageWorker::take_early_blobs() {
  const std::lock_guard lock(mutex_);
  return std::exchange(early_blobs_, {});
}

void StageWorker::keep_early_blobs() {
  std::vector<Blob> blobs = stage_.stage->take_early_blobs();
  if (blobs.empty()) return;
  const std::lock_guard lock(mutex_);
  std::move(blobs.begin(), blobs.end(), std::back_inserter(early_blobs_));
}

void StageWorker::wait_until_fewer_than(size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.size() < count || problem_; });
  if (problem_) std::rethrow_exception(problem_);
}

void StageWorker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [&] { return !queue_.empty(); }) && !stop.stop_requested()) {
    const auto work = queue_.front();
    lock.unlock();
    std::exception_ptr problem;
    try {
      look_at(work);
    } catch (...) {
      problem = std::current_exception();
    }
    lock.lock();
    queue_.pop_front();
    problem_ = problem;
    changed_.notify_all();
    if (problem) return;
  }
}

void StageWorker::look_at(const std::shared_ptr<const SampleWork>& work) {
  if (stage_.error) return;
  const Clock clock;
  try {
    vision::Sample sample = work->sample;
    sample.owner = work;
    stage_.stage->add(sample, work->frames);
    keep_early_blobs();
  } catch (const Error& error) {
    stage_.error = error;
  }
  stage_.ms_per_sample.push_back(static_cast<float>(clock.ms_since_start()));
}

}  // namespace prismvid::pipeline

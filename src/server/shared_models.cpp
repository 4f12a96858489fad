#include "server/shared_models.h"

#include <condition_variable>

#include "core/error.h"

namespace prismvid::server {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(200);

}  // namespace

deep::ModelChoice SharedModels::choose(const std::string& name) {
  std::string stamp = deep::InstalledModels::stamp(name);
  const std::lock_guard lock(known_mutex_);
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.stamp == stamp) return known->second.choice;
  // Reads the checkpoint's tokenizer and hashes its files: too long for each request.
  const deep::ModelChoice choice = deep::InstalledModels(kv_bits_).choose(name);
  known_[name] = {choice, std::move(stamp)};
  return choice;
}

std::shared_ptr<deep::Model> SharedModels::try_to_open(const deep::ModelChoice& choice) {
  const std::lock_guard lock(installed_mutex_);
  return installed_.is_other_held(choice) ? nullptr : installed_.open(choice);
}

uint64_t SharedModels::bytes_to_open(const deep::ModelChoice& choice) {
  const std::lock_guard lock(installed_mutex_);
  return installed_.bytes_to_open(choice);
}

std::shared_ptr<deep::Model> SharedModels::open(const deep::ModelChoice& choice) {
  auto model = try_to_open(choice);
  check(model != nullptr, ErrorCode::kUnavailable, "another model than ", choice.card.id,
        " is at work, and memory is for one: ask that one, or ask again later");
  return model;
}

std::shared_ptr<deep::Model> SharedModels::wait_to_open(const deep::ModelChoice& choice,
                                                        std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any woken;
  for (;;) {
    check(!stop.stop_requested(), ErrorCode::kCancelled, "interrupted");
    if (auto model = try_to_open(choice)) return model;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
}

void SharedModels::look_at_loaded(const std::function<void(deep::Model&)>& look) {
  const std::unique_lock lock(installed_mutex_, std::try_to_lock);
  if (lock.owns_lock() && installed_.loaded()) look(*installed_.loaded());
}

void SharedModels::forget_frames(const std::string& content) {
  look_at_loaded([&](deep::Model& model) { model.forget(content); });
  if (kept_) kept_->forget(content);
}

void SharedModels::forget_frames_of_others(const std::set<std::string>& contents) {
  if (kept_) kept_->forget_all_but(contents);
}

}  // namespace prismvid::server

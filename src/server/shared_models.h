#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>

#include "deep/model.h"

namespace prismvid::server {

/// The deep models of this machine for everything in the process: jobs, questions and OpenAI's
/// interfaces. One model is in memory, and what is asked of it is worked on side by side.
/// Thread-safe, and so are the models it gives out.
class SharedModels : public deep::ModelProvider {
 public:
  /// As deep::InstalledModels.
  explicit SharedModels(int kv_bits = 16, std::shared_ptr<FileCache> kept = nullptr)
      : kv_bits_(kv_bits), kept_(std::move(kept)), installed_(kv_bits, kept_) {}

  /// Reads a checkpoint again only where its files have changed.
  deep::ModelChoice choose(const std::string& name) override;
  /// For whoever waits at a screen. Throws Error(kUnavailable) while another model is at work.
  std::shared_ptr<deep::Model> open(const deep::ModelChoice& choice) override;
  uint64_t bytes_to_open(const deep::ModelChoice& choice) override;
  /// For whoever has time: waits while another model is at work. Throws Error(kCancelled).
  std::shared_ptr<deep::Model> wait_to_open(const deep::ModelChoice& choice, std::stop_token stop);

  /// Calls `look` with the model that is in memory; not where there is none, or while one is loaded.
  void look_at_loaded(const std::function<void(deep::Model&)>& look);

  /// Frames that were shown of the video with this hash, in memory and on this machine's disk.
  void forget_frames(const std::string& content);
  /// Those on the disk of all videos but these.
  void forget_frames_of_others(const std::set<std::string>& contents);

 private:
  struct Known {
    deep::ModelChoice choice;
    std::string stamp;
  };
  std::shared_ptr<deep::Model> try_to_open(const deep::ModelChoice& choice);

  const int kv_bits_;
  const std::shared_ptr<FileCache> kept_;
  std::mutex known_mutex_;
  std::map<std::string, Known> known_;  // by the name asked for
  std::mutex installed_mutex_;          // held while a model is loaded
  deep::InstalledModels installed_;
};

/// Where one job takes its model from.
class JobModels : public deep::ModelProvider {
 public:
  JobModels(SharedModels& models, std::stop_token stop)
      : models_(models), stop_(std::move(stop)) {}
  deep::ModelChoice choose(const std::string& name) override { return models_.choose(name); }
  std::shared_ptr<deep::Model> open(const deep::ModelChoice& choice) override {
    return models_.wait_to_open(choice, stop_);
  }
  uint64_t bytes_to_open(const deep::ModelChoice& choice) override {
    return models_.bytes_to_open(choice);
  }

 private:
  SharedModels& models_;
  std::stop_token stop_;
};

}  // namespace prismvid::server

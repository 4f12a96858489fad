#pragma once

#include "deep/stages.h"
#include "pipeline/stage_versions.h"
#include "store/store.h"

namespace prismvid::pipeline {

/// Parts of deep stages and answers in the store, as stages of their own: they go with the video.
class StoredParts : public deep::PartStore {
 public:
  /// `force`: nothing is found, so everything is asked anew.
  StoredParts(store::Store& store, std::string video_id, bool force)
      : store_(store), video_id_(std::move(video_id)), force_(force) {}

  std::optional<std::string> find(const std::string& key) override {
    return force_ ? std::nullopt : store_.load_stage_json(key);
  }

  void keep(const std::string& key, const std::string& json) override {
    store::StageRecord record;
    record.cache_key = key;
    record.video_id = video_id_;
    record.stage = "deep_part";
    record.version = kDeepVersion;
    record.extra_json = "{}";
    store_.put_stage(record, {json, {}});
  }

 private:
  store::Store& store_;
  std::string video_id_;
  bool force_;
};

}  // namespace prismvid::pipeline

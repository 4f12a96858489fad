#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "document/document.h"
#include "server/pool.h"
#include "store/address.h"
#include "store/library_view.h"

namespace prismvid::server {

/// A document as the service gives it out.
struct Published {
  document::Document document;
  document::Json json;  // pictures and sidecars named by URL
  std::string text;
  std::string etag;
};

/// What a list of videos shows of one.
struct Card {
  std::string id;
  std::string name;
  std::string added_at;
  std::string status = "queued";  // or the analysis's
  std::string profile;
  std::string line;      // one sentence
  std::string thumb;     // URL
  int64_t duration_us = 0;
  int width = 0;
  int height = 0;
  std::vector<std::string> labels;  // of objects and scenes
  std::vector<std::string> people;  // ids
  std::vector<std::string> tags;
  std::string texts;     // everything written or said, in lower case
};

/// The last documents that were asked for, assembled once for each change of the database.
/// Thread-safe.
class DocumentCache {
 public:
  DocumentCache(StorePool& stores, const store::Address& database);

  /// Throws Error(kNotFound) for a video that is not there or has no analysis.
  std::shared_ptr<const Published> get(const std::string& video_id);
  /// Of every video, newest first.
  std::vector<std::shared_ptr<const Card>> cards();

 private:
  struct Entry {
    int64_t version = 0;
    std::shared_ptr<const Published> published;
  };
  int64_t version();

  StorePool& stores_;
  std::mutex mutex_;
  std::unique_ptr<store::LibraryView> view_;
  std::list<std::pair<std::string, Entry>> entries_;  // the last used first
  std::unordered_map<std::string, std::shared_ptr<const Card>> cards_;  // by video and analysis
};

/// The document's JSON with its pictures as URLs of this service.
document::Json published_json(const document::Document& document);

}  // namespace prismvid::server

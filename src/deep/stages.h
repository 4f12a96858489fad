#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "deep/facts.h"
#include "deep/model.h"
#include "document/document.h"

// The stages of the deep analysis. Each gives its part of the document, without ids, and says what
// it had to leave out.
namespace prismvid::deep {

/// Keeps the parts of a stage as they are made, so that one that was interrupted goes on after
/// them.
class PartStore {
 public:
  virtual ~PartStore() = default;
  virtual std::optional<std::string> find(const std::string& key) = 0;
  virtual void keep(const std::string& key, const std::string& json) = 0;
};

/// What a stage works on.
struct Work {
  std::filesystem::path video;
  const document::Document& known;  // the fast stage's
  std::string language = "en";      // of everything that is written
  Model& model;
  PartStore& parts;
  /// JPEG of a keyframe that `known` names; nullopt where it is gone.
  std::function<std::optional<std::vector<uint8_t>>(const std::string& href)> picture;
  std::function<void(int64_t media_us)> on_progress = [](int64_t) {};  // within the analysed range
  std::stop_token stop = {};
};

struct StageResult {
  document::Json json;
  int64_t frames = 0;  // looked at
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  std::vector<std::string> warnings;  // what was dropped, and why
};

/// {"captions": [...]}: dense captions of every window. All throw Error(kModel) where nothing at
/// all could be read from the model's replies, and whatever the model and the video throw.
StageResult write_captions(const Work& work);

/// {"scenes": [{"scene": index, "title", "start", "end", "text", "evidence", "by"}]}.
StageResult describe_scenes(const Work& work);

/// The others read `captions`, by levels where there are too many to read at once.
/// {"chapters": [...]}, {"summaries": [...]}, {"story": {...}}, {"highlights": [...]}.
StageResult write_chapters(const Work& work, const std::vector<Caption>& captions);
StageResult write_summaries(const Work& work, const std::vector<Caption>& captions);
StageResult write_story(const Work& work, const std::vector<Caption>& captions);
StageResult write_highlights(const Work& work, const std::vector<Caption>& captions);

/// The captions of write_captions()'s result. Throws Error(kStore) on damage.
std::vector<Caption> read_captions(const document::Json& result);

}  // namespace prismvid::deep

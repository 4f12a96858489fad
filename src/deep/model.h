#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/file_cache.h"
#include "core/image.h"
#include "deep/clip.h"
#include "deep/feeding.h"
#include "document/document.h"

namespace prismvid::inference {
class Engine;
}

namespace prismvid::deep {

class ClipCache;

/// One thing asked of the model: pictures first, then the words. All words are data: they never
/// form special tokens.
struct Request {
  std::shared_ptr<const Clip> clip;                    // may be null
  std::vector<std::shared_ptr<const Image>> pictures;  // behind the clip
  /// Waits for `clip` and `pictures` and fills them in, so that a request can be worked on while
  /// the next is still being decoded. What it throws, ask() throws.
  std::function<void(Request& request)> look = {};
  std::string prompt;
  nlohmann::ordered_json schema;  // which the reply fulfils; null: free text
  int max_tokens = 1024;
  float temperature = 0;  // 0: the likeliest reply
  uint64_t seed = 0;
  std::string content = {};   // hash of the video that is shown; empty: of none
  bool person_waits = false;  // goes before requests for which nobody does
  bool goes_on = false;       // to max_tokens, past ends and in loops: for measurements
  /// Gets the reply's text as it comes, on another thread, before ask() returns. Must be quick.
  std::function<void(const std::string& piece)> on_text = {};

  /// With what `look` brings.
  Request looked() const {
    Request request = *this;
    if (look) look(request);
    request.look = {};
    return request;
  }
};

struct Reply {
  std::string text;
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  bool ended = true;  // false: cut off at max_tokens or in a loop
  double vision_seconds = 0;
  double prefill_seconds = 0;
};

/// A vision-language model that answers. Installed ones are thread-safe: what several callers ask
/// is worked on side by side. The only way from the deep stage to inference, so that tests can
/// answer from a script.
class Model {
 public:
  virtual ~Model() = default;

  /// What results say of it.
  virtual const document::StageModel& card() const = 0;
  virtual const Feeding& feeding() const = 0;

  /// `picture` as the model gets it as one of `frames` frames of a clip; as a keyframe for 0.
  virtual Image resized(ImageView picture, int frames) const = 0;
  virtual int count_tokens(const std::string& text) const = 0;

  /// Calls `take` with each reply, in the order of the requests, which may be answered together;
  /// each request looks once those before it are being worked on.
  /// `take` may ask again. Throws Error(kModel or
  /// kUnavailable) when the model fails, Error(kCancelled) when stopped.
  virtual void ask(std::span<const Request> requests,
                   const std::function<void(size_t index, Reply reply)>& take,
                   std::stop_token stop) = 0;

  /// Where clips that were shown lately are kept; nullptr: nowhere.
  virtual ClipCache* clips() const { return nullptr; }

  /// Gives up all that is kept of the video with this hash, on the disk too.
  virtual void forget(const std::string& content) { static_cast<void>(content); }
  /// Empties the memory of what was shown, as in a new process: what is kept on the disk stays.
  virtual void start_anew() {}

  /// What answers, for whoever asks it in its own words (OpenAI's interfaces); nullptr for a
  /// script.
  virtual inference::Engine* engine() { return nullptr; }
};

/// A checkpoint that was found and looked at, but not loaded.
struct ModelChoice {
  std::string name;  // as asked for: a folder or a name in the Hugging Face cache
  document::StageModel card;
  Feeding feeding;
  uint64_t weight_bytes = 0;
  int kv_bits = 16;  // as inference::LoadOptions; part of the card where it is not 16
};

/// Where models come from: the machine's, or a script's in tests. Not thread-safe.
class ModelProvider {
 public:
  virtual ~ModelProvider() = default;
  /// `name`, or for an empty one the best that is installed. Throws Error(kNotFound) saying which
  /// command gets one, Error(kModel) for a damaged one, Error(kUnavailable) where this build or
  /// machine cannot run it.
  virtual ModelChoice choose(const std::string& name) = 0;
  /// Loads the weights, or gives the model that is loaded already. Throws Error(kModel,
  /// kUnavailable).
  virtual std::shared_ptr<Model> open(const ModelChoice& choice) = 0;
  /// Memory that open() takes beside what is in use now, about.
  virtual uint64_t bytes_to_open(const ModelChoice& choice) {
    return choice.weight_bytes + choice.weight_bytes / 8;
  }
};

/// The models of this machine. Named ones, PRISMVID_DEEP_MODEL, or the largest Qwen3-VL of the
/// Hugging Face cache that fits. Keeps the last one loaded.
class InstalledModels : public ModelProvider {
 public:
  /// `kept` is where frames lie that the models were shown and, unless they run on an NVIDIA GPU,
  /// what they made of them; null: nowhere.
  explicit InstalledModels(int kv_bits = 16, std::shared_ptr<FileCache> kept = nullptr)
      : kv_bits_(kv_bits), kept_(std::move(kept)) {}
  ModelChoice choose(const std::string& name) override;
  /// While it stays, choose() of this name gives the same; little is read for it. Throws what
  /// choose() throws.
  static std::string stamp(const std::string& name);
  std::shared_ptr<Model> open(const ModelChoice& choice) override;

  uint64_t bytes_to_open(const ModelChoice& choice) override;

  /// The last one loaded; null where there is none.
  Model* loaded() const { return open_.get(); }
  /// Whether somebody holds a loaded model that open() would have to give up for this one.
  bool is_other_held(const ModelChoice& choice) const;

 private:
  int kv_bits_;
  std::shared_ptr<FileCache> kept_;
  std::string open_sha256_;
  uint64_t open_bytes_ = 0;
  std::shared_ptr<Model> open_;
};

}  // namespace prismvid::deep

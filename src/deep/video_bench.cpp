#include "deep/video_bench.h"

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "core/sha256.h"
#include "core/stopwatch.h"
#include "deep/ask.h"
#include "deep/fixed_replies.h"
#include "deep/forwarding_model.h"
#include "deep/stages.h"
#include "deep/windows.h"
#include "media/open_video.h"

namespace prismvid::deep {
namespace {

class NothingKept : public PartStore {
 public:
  std::optional<std::string> find(const std::string&) override { return std::nullopt; }
  void keep(const std::string&, const std::string&) override {}
};

/// Remembers the size of the frames that are shown.
class FrameSizes : public ForwardingModel {
 public:
  using ForwardingModel::ForwardingModel;

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override {
    model_.ask(
        requests,
        [&](size_t i, Reply reply) {
          if (const auto clip = requests[i].looked().clip) size = clip->frames.front()->size();
          take(i, std::move(reply));
        },
        stop);
  }

  Size size;
};

/// Tells when the first piece of a reply came, counted from when this was made.
class FirstPiece : public ForwardingModel {
 public:
  using ForwardingModel::ForwardingModel;

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override {
    std::vector<Request> watched(requests.begin(), requests.end());
    for (Request& request : watched) {
      request.look = [this, look = request.look](Request& looking) {
        look(looking);
        note(first_.frames_seconds);
      };
      request.on_text = [this](const std::string&) { note(first_.seconds); };
    }
    model_.ask(
        watched,
        [&](size_t i, Reply reply) {
          first_.vision_seconds = reply.vision_seconds;
          first_.prefill_seconds = reply.prefill_seconds;
          take(i, std::move(reply));
        },
        stop);
  }

  /// All 0 where nothing was written. After ask().
  FirstToken first() const { return first_; }

 private:
  void note(double& seconds) {
    const std::lock_guard lock(mutex_);
    if (seconds == 0) seconds = watch_.seconds();
  }

  const Stopwatch watch_;
  std::mutex mutex_;
  FirstToken first_;
};

/// The whole video as one shot, so that windows are cut by length alone.
document::Document document_of(const std::filesystem::path& video) {
  const media::VideoInfo info = media::open_video(video)->info();
  document::Document known;
  known.video.id = video.filename().string();
  known.video.sha256 = sha256_hex(video.string());  // the file does not change meanwhile
  known.analysis.range = {0, info.duration_us};
  document::DocumentShot shot;
  shot.range = known.analysis.range;
  known.shots.push_back(std::move(shot));
  return known;
}

void add_counts(const StageResult& stage, VideoBenchResult& result) {
  result.tokens_in += stage.tokens_in;
  result.tokens_out += stage.tokens_out;
}

/// `prepare` is called ahead of each question.
FirstToken slowest_first_token(const Work& work, int windows,
                               const std::function<void()>& prepare) {
  FirstToken slowest;
  for (const int window : {0, windows / 2, windows - 1}) {
    prepare();
    FirstPiece model(work.model);
    const Work asked{work.video, work.known,   work.language,    model,
                     work.parts, work.picture, work.on_progress, work.stop};
    AskOptions options;
    options.most_windows = 1;
    const Moment moment{
        0, cut_windows(work.known.shots, work.model.feeding())[window], "caption", "", "", 1};
    ask({asked}, {moment}, "What does the man look at?", options);
    if (model.first().seconds > slowest.seconds) slowest = model.first();
  }
  return slowest;
}

}  // namespace

VideoBenchResult bench_video(Model& given, const std::filesystem::path& video, int reply_tokens,
                             std::stop_token stop) {
  std::optional<FixedReplies> fixed;
  if (reply_tokens > 0) fixed.emplace(given, reply_tokens);
  FrameSizes model(fixed ? *fixed : given);
  document::Document known = document_of(video);
  NothingKept parts;
  const Work work{video, known, "en", model, parts, {}, [](int64_t) {}, std::move(stop)};
  VideoBenchResult result;
  result.media_seconds = static_cast<double>(known.analysis.range.duration_us()) * 1e-6;
  result.windows = static_cast<int>(cut_windows(known.shots, model.feeding()).size());
  const Stopwatch captions_watch;
  const StageResult captions = write_captions(work);
  result.captions_seconds = captions_watch.seconds();
  add_counts(captions, result);
  result.frames = captions.frames;
  result.frame = model.size;
  result.caption_tokens_in = captions.tokens_in;
  const Stopwatch summary_watch;
  add_counts(write_summaries(work, read_captions(captions.json)), result);
  result.summary_seconds = summary_watch.seconds();
  for (const document::Json& caption : captions.json.at("captions")) {
    known.captions.push_back(caption);
    known.captions.back()["id"] = "cap_" + std::to_string(known.captions.size());
  }
  result.first_token = slowest_first_token(work, result.windows, [] {});
  result.first_token_anew = slowest_first_token(work, result.windows, [&] { given.start_anew(); });
  result.first_token_unknown =
      slowest_first_token(work, result.windows, [&] { given.forget(known.video.sha256); });
  return result;
}

}  // namespace prismvid::deep

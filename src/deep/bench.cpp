#include "deep/bench.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "core/cpu.h"
#include "core/stopwatch.h"
#include "core/thread_team.h"
#include "deep/clip.h"
#include "deep/facts.h"
#include "deep/fixed_replies.h"
#include "deep/replies.h"

namespace prismvid::deep {
namespace {

constexpr int64_t kMinute_us = 60'000'000;
constexpr int kPatterns = 4;

Image pattern(Size size, int64_t frame) {
  Image image(size.width, size.height, 3);
  for (int y = 0; y < size.height; ++y) {
    uint8_t* row = image.row(y);
    for (int x = 0; x < size.width; ++x) {
      row[3 * x] = static_cast<uint8_t>(x + 7 * frame);
      row[3 * x + 1] = static_cast<uint8_t>(y - 3 * frame);
      row[3 * x + 2] = static_cast<uint8_t>((x ^ y) + frame);
    }
  }
  return image;
}

class Bench {
 public:
  Bench(Model& model, const BenchOptions& options, BenchResult& result)
      : model_(model), options_(options), result_(result) {
    for (int i = 0; i < kPatterns; ++i) patterns_.push_back(pattern(options.picture, i));
  }

  void one_frame() {
    Request request = request_of(prompt("image"), {{"language", "English"}, {"facts", "none"}});
    request.pictures.push_back(std::make_shared<const Image>(shown(0)));
    ask({std::move(request)});
  }

  void ten_frames() {
    Request request = request_of(prompt("scene"), {{"language", "English"}, {"facts", "none"}});
    request.clip = clip_of({0, 10'000'000}, 10);
    ask({std::move(request)});
  }

  void one_minute() {
    const Feeding& feeding = model_.feeding();
    std::vector<Request> requests;
    for (int64_t start = 0; start < kMinute_us; start += feeding.window_us) {
      const TimeRange window{start, std::min(kMinute_us, start + feeding.window_us)};
      const int frames =
          static_cast<int>(sample_times(window, feeding.frames_per_second, 4096).size());
      requests.push_back(
          request_of(prompt("captions"), {{"language", "English"}, {"facts", "none"}}));
      requests.back().clip = clip_of(window, frames);
    }
    std::vector<Caption> captions;
    for (std::string& text : ask(requests))
      captions.push_back({requests[captions.size()].clip->range, std::move(text)});
    ask({request_of(prompt("summary"),
                    {{"language", "English"}, {"captions", caption_lines(captions)}})});
  }

 private:
  /// A pattern shrunk for the model and marked, so that nothing can be answered from a cache.
  Image shown(int frames) {
    const uint64_t number = ++shown_;
    Image image = model_.resized(patterns_[number % kPatterns], frames);
    std::memcpy(image.data(), &number, sizeof number);
    return image;
  }

  /// Frames of `range` as a decoder would give them, shrunk for the model.
  std::shared_ptr<const Clip> clip_of(const TimeRange& range, int frames) {
    auto clip = std::make_shared<Clip>();
    clip->range = range;
    for (int i = 0; i < frames; ++i)
      clip->times_us.push_back(range.start_us + range.duration_us() * i / frames);
    clip->frames.resize(clip->times_us.size());
    team_.run(clip->frames.size(), [&](size_t, size_t i) {
      clip->frames[i] = std::make_shared<const Image>(shown(frames));
    });
    return clip;
  }

  std::vector<std::string> ask(std::vector<Request> requests) {
    for (Request& request : requests) request.max_tokens = options_.max_tokens;
    std::vector<std::string> texts;
    model_.ask(
        requests,
        [&](size_t, Reply reply) {
          result_.tokens_in += reply.tokens_in;
          result_.tokens_out += reply.tokens_out;
          texts.push_back(std::move(reply.text));
        },
        options_.stop);
    return texts;
  }

  Model& model_;
  const BenchOptions& options_;
  BenchResult& result_;
  std::vector<Image> patterns_;
  std::atomic<uint64_t> shown_ = 0;
  ThreadTeam team_{static_cast<size_t>(available_threads())};
};

template <typename Work>
double timed(Work work) {
  const Stopwatch watch;
  work();
  return watch.seconds();
}

}  // namespace

BenchResult run_bench(ModelProvider& models, const ModelChoice& choice,
                      const BenchOptions& options) {
  BenchResult result;
  std::shared_ptr<Model> model;
  result.load_seconds = timed([&] { model = models.open(choice); });
  std::optional<FixedReplies> fixed;
  if (options.reply_tokens > 0) fixed.emplace(*model, options.reply_tokens);
  Bench bench(fixed ? *fixed : *model, options, result);
  bench.one_frame();  // the first call also compiles and maps what later ones find ready
  result.tokens_in = result.tokens_out = 0;
  if (!options.only_video) {
    result.frame_seconds = timed([&] { bench.one_frame(); });
    result.summary_seconds = timed([&] { bench.ten_frames(); });
    result.minute_seconds = timed([&] { bench.one_minute(); });
  }
  if (!options.video.empty())
    result.video = bench_video(*model, options.video, options.reply_tokens, options.stop);
  return result;
}

}  // namespace prismvid::deep

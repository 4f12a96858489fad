#include "deep/bench.h"

#include <chrono>

#include "deep/facts.h"
#include "deep/replies.h"

namespace prismvid::deep {
namespace {

constexpr int64_t kMinute_us = 60'000'000;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// A pattern that differs from frame to frame, so that nothing can be answered from a cache.
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

/// Frames of `range` as a decoder would give them, shrunk for the model.
std::shared_ptr<const Clip> clip_of(const Model& model, const TimeRange& range, int frames,
                                    Size size) {
  auto clip = std::make_shared<Clip>();
  clip->range = range;
  for (int i = 0; i < frames; ++i) {
    clip->times_us.push_back(range.start_us + range.duration_us() * i / frames);
    clip->frames.push_back(std::make_shared<const Image>(
        model.resized(pattern(size, clip->times_us.back() / 500'000), frames)));
  }
  return clip;
}

class Bench {
 public:
  Bench(Model& model, const BenchOptions& options, BenchResult& result)
      : model_(model), options_(options), result_(result) {}

  void one_frame() {
    Request request = request_of(prompt("image"), {{"language", "English"}, {"facts", "none"}});
    request.pictures.push_back(
        std::make_shared<const Image>(model_.resized(pattern(options_.picture, 1), 0)));
    ask(std::move(request));
  }

  void ten_frames() {
    Request request = request_of(prompt("scene"), {{"language", "English"}, {"facts", "none"}});
    request.clip = clip_of(model_, {0, 10'000'000}, 10, options_.picture);
    ask(std::move(request));
  }

  void one_minute() {
    const Feeding& feeding = model_.feeding();
    std::vector<Caption> captions;
    for (int64_t start = 0; start < kMinute_us; start += feeding.window_us) {
      const TimeRange window{start, std::min(kMinute_us, start + feeding.window_us)};
      const int frames =
          static_cast<int>(sample_times(window, feeding.frames_per_second, 4096).size());
      Request request =
          request_of(prompt("captions"), {{"language", "English"}, {"facts", "none"}});
      request.clip = clip_of(model_, window, frames, options_.picture);
      captions.push_back({window, ask(std::move(request))});
    }
    ask(request_of(prompt("summary"),
                   {{"language", "English"}, {"captions", caption_lines(captions)}}));
  }

 private:
  std::string ask(Request request) {
    std::string text;
    request.max_tokens = options_.max_tokens;
    model_.ask(
        {&request, 1},
        [&](size_t, Reply reply) {
          result_.tokens_in += reply.tokens_in;
          result_.tokens_out += reply.tokens_out;
          text = std::move(reply.text);
        },
        options_.stop);
    return text;
  }

  Model& model_;
  const BenchOptions& options_;
  BenchResult& result_;
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
  result.max_tokens = options.max_tokens;
  std::shared_ptr<Model> model;
  result.load_seconds = timed([&] { model = models.open(choice); });
  Bench bench(*model, options, result);
  bench.one_frame();  // the first call also compiles and maps what later ones find ready
  result.tokens_in = result.tokens_out = 0;
  result.frame_seconds = timed([&] { bench.one_frame(); });
  result.summary_seconds = timed([&] { bench.ten_frames(); });
  result.minute_seconds = timed([&] { bench.one_minute(); });
  return result;
}

}  // namespace prismvid::deep

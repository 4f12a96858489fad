// Decoding and scaling, against libavcodec alone and the ffmpeg program, in one run. Usage:
// media_bench VIDEO [ROUNDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "core/cpu.h"
#include "core/error.h"
#include "media/decode_pass.h"
#include "media/open_video.h"
#include "media/prefetching_source.h"

namespace {

using namespace prismvid;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double fastest(int rounds, const std::function<void()>& work) {
  double best = seconds_of(work);
  for (int i = 1; i < rounds; ++i) best = std::min(best, seconds_of(work));
  return best;
}

int64_t count_frames(media::FrameSource& source,
                     const std::function<void(const media::Frame&)>& use) {
  int64_t frames = 0;
  for (; const auto frame = source.next(); ++frames) use(*frame);
  return frames;
}

void bench_decoding(const std::string& path, int rounds, int64_t frames) {
  const double raw = fastest(rounds, [&] {
    media::DecodePass pass(path, {});
    while (pass.next()) {
    }
  });
  auto row = [&](const char* what, double seconds) {
    std::printf("| %-38s | %7.2f | %5.2f |\n", what, 1000 * seconds / static_cast<double>(frames),
                seconds / raw);
  };
  std::printf("| decoding, %2d threads                   | ms/frame | ratio |\n|---|---|---|\n",
              available_threads());
  row("libavcodec alone", raw);
  row("ffmpeg -f null", fastest(rounds, [&] {
        const std::string command = "ffmpeg -v error -nostdin -threads " +
                                    std::to_string(available_threads()) + " -i '" + path +
                                    "' -map 0:v:0 -f null -";
        check(std::system(command.c_str()) == 0, ErrorCode::kInternal, "ffmpeg failed");
      }));
  row("open_video",
      fastest(rounds, [&] { count_frames(*media::open_video(path), [](const media::Frame&) {}); }));
  row("open_video + prefetch", fastest(rounds, [&] {
        media::PrefetchingSource source(media::open_video(path));
        count_frames(source, [](const media::Frame&) {});
      }));
  row("open_video + luma 640 + rgb 64x36", fastest(rounds, [&] {
        count_frames(*media::open_video(path), [](const media::Frame& frame) {
          frame.luma(fit_within(frame.display_size(), 640));
          frame.rgb({64, 36});
        });
      }));
  row("same + prefetch", fastest(rounds, [&] {
        media::PrefetchingSource source(media::open_video(path));
        count_frames(source, [](const media::Frame& frame) {
          frame.luma(fit_within(frame.display_size(), 640));
          frame.rgb({64, 36});
        });
      }));
}

void bench_pictures(const std::string& path) {
  const auto source = media::open_video(path);
  std::shared_ptr<const media::Frame> frame;
  for (int i = 0; i < 10; ++i)
    if (auto next = source->next()) frame = std::move(next);
  const Size full = frame->display_size();
  auto row = [&](const char* what, const std::function<void()>& work) {
    std::printf("| %-38s | %7.3f |\n", what, 1000 * fastest(100, work));
  };
  std::printf("\n| one %dx%d frame as                  | ms |\n|---|---|\n", full.width,
              full.height);
  row("luma, longest side 640", [&] { frame->luma(fit_within(full, 640)); });
  row("luma, longest side 500", [&] { frame->luma(fit_within(full, 500)); });
  row("luma, full size", [&] { frame->luma(full); });
  row("rgb 64x36", [&] { frame->rgb({64, 36}); });
  row("rgb 48x27", [&] { frame->rgb({48, 27}); });
  row("rgb, longest side 640", [&] { frame->rgb(fit_within(full, 640)); });
  row("rgb, two thirds", [&] { frame->rgb({full.width * 2 / 3, full.height * 2 / 3}); });
  row("rgb, full size", [&] { frame->rgb(full); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: media_bench VIDEO [ROUNDS]\n");
    return 2;
  }
  const std::string path = argv[1];
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  const int64_t frames = count_frames(*media::open_video(path), [](const media::Frame&) {});
  bench_decoding(path, rounds, frames);
  bench_pictures(path);
}

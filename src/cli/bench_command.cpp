#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "core/media_time.h"
#include "deep/bench.h"
#include "document/json.h"

namespace prismvid::cli {
namespace {

using document::Json;

struct BenchArguments {
  CommonOptions common;
  std::string model;
  deep::BenchOptions options;
};

uint64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<uint64_t>(usage.ru_maxrss);
#else
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  return text;
}

void print_row(const std::string& what, const std::string& here, const char* estimate) {
  char line[160];
  std::snprintf(line, sizeof line, "  %-30s %12s   %s\n", what.c_str(), here.c_str(), estimate);
  std::cout << line;
}

std::string reply_length(const deep::BenchOptions& options) {
  if (options.reply_tokens > 0)
    return "every reply cut to " + std::to_string(options.reply_tokens) + " tokens";
  return "at most " + std::to_string(options.max_tokens) + " a reply";
}

void print_first_token(const std::string& what, const deep::FirstToken& first) {
  const std::string parts = "frames " + seconds_text(first.frames_seconds) + ", vision " +
                            seconds_text(first.vision_seconds) + ", prefill " +
                            seconds_text(first.prefill_seconds);
  print_row(what, seconds_text(first.seconds), parts.c_str());
}

Json first_token_json(const deep::FirstToken& first) {
  return {{"seconds", first.seconds},
          {"frames_seconds", first.frames_seconds},
          {"vision_seconds", first.vision_seconds},
          {"prefill_seconds", first.prefill_seconds}};
}

void print_video(const deep::VideoBenchResult& video) {
  const std::string length = format_clock(static_cast<int64_t>(video.media_seconds * 1e6));
  print_row(length + " video, captions", seconds_text(video.captions_seconds), "");
  print_row(length + " video, summary", seconds_text(video.summary_seconds), "");
  print_first_token("first token of a question", video.first_token);
  print_first_token("  in a new process", video.first_token_anew);
  print_first_token("  of a video not kept", video.first_token_unknown);
  std::cout << "  " << video.windows << " windows, " << video.tokens_in << " tokens read, "
            << video.tokens_out << " written; decoding the file included, finding its shots not\n";
}

Json video_json(const deep::VideoBenchResult& video) {
  return {{"media_seconds", video.media_seconds},
          {"windows", video.windows},
          {"captions_seconds", video.captions_seconds},
          {"summary_seconds", video.summary_seconds},
          {"first_token", first_token_json(video.first_token)},
          {"first_token_in_a_new_process", first_token_json(video.first_token_anew)},
          {"first_token_of_a_video_not_kept", first_token_json(video.first_token_unknown)},
          {"frames", video.frames},
          {"frame", {video.frame.width, video.frame.height}},
          {"caption_tokens_in", video.caption_tokens_in},
          {"tokens_in", video.tokens_in},
          {"tokens_out", video.tokens_out}};
}

/// The estimates were made for an 8B model of 3 or 4 bit on an Apple M4.
void print_table(const document::StageModel& card, const deep::BenchOptions& options,
                 const deep::BenchResult& result, uint64_t bytes) {
  std::cout << card.id << " (" << card.quantization << ", " << card.backend << ")\n";
  print_row("", "here", "estimate (8B on Apple M4)");
  print_row("load", seconds_text(result.load_seconds), "2-5 s, once");
  if (!options.only_video) {
    print_row("one frame", seconds_text(result.frame_seconds), "0.5-2 s");
    print_row("summary over 10 frames", seconds_text(result.summary_seconds), "5-20 s");
    print_row("60 s video, captions + summary", seconds_text(result.minute_seconds), "1-5 s");
  }
  print_row("memory", std::to_string(bytes >> 20) + " MB", "6-12 GB (3 bit), 8-16 GB (4 bit)");
  std::cout << "  " << result.tokens_in << " tokens read, " << result.tokens_out << " written; "
            << reply_length(options) << '\n';
  if (result.video) print_video(*result.video);
}

/// A cache on the disk that goes with this object.
class KeptForNow {
 public:
  KeptForNow()
      : folder_(std::filesystem::temp_directory_path() /
                ("prismvid-bench-" + std::to_string(::getpid()))) {}
  ~KeptForNow() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  KeptForNow(const KeptForNow&) = delete;
  KeptForNow& operator=(const KeptForNow&) = delete;

  std::shared_ptr<FileCache> files() const {
    return std::make_shared<FileCache>(folder_, static_cast<uint64_t>(kDefaultCacheGb * 1e9));
  }

 private:
  const std::filesystem::path folder_;
};

void run_bench(const BenchArguments& arguments) {
  deep::BenchOptions options = arguments.options;
  options.stop = interrupted();
  const KeptForNow kept;
  deep::InstalledModels models(16, kept.files());
  const deep::ModelChoice choice = models.choose(arguments.model);
  const deep::BenchResult result = deep::run_bench(models, choice, options);
  if (!arguments.common.json())
    return print_table(choice.card, options, result, peak_memory_bytes());
  Json json = {{"model", choice.card.id},
               {"model_sha256", choice.card.sha256},
               {"quant", choice.card.quantization},
               {"backend", choice.card.backend},
               {"load_seconds", result.load_seconds},
               {"frame_seconds", result.frame_seconds},
               {"summary_of_10_frames_seconds", result.summary_seconds},
               {"video_of_60_s_seconds", result.minute_seconds},
               {"peak_memory_bytes", peak_memory_bytes()},
               {"tokens_in", result.tokens_in},
               {"tokens_out", result.tokens_out},
               {"max_tokens", options.max_tokens},
               {"reply_tokens", options.reply_tokens},
               {"picture", {options.picture.width, options.picture.height}}};
  if (result.video) json["video"] = video_json(*result.video);
  std::cout << document::to_text(json) << '\n';
}

}  // namespace

void add_bench_command(CLI::App& app) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* command = app.add_subcommand("bench", "Time a model of the deep stage on this machine");
  command->add_option("--model", arguments->model,
                      "Folder, or name in the Hugging Face cache (default: the best there)");
  command->add_option("--max-tokens", arguments->options.max_tokens, "Longest reply")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command
      ->add_option(
          "--reply-tokens", arguments->options.reply_tokens,
          "Cut every reply to exactly so many tokens and go on with well-formed text of that "
          "length: for models that write nonsense")
      ->check(CLI::Range(1, 8192));
  command->add_option("--video", arguments->options.video,
                      "Also time captions, summary and a question of this file");
  command
      ->add_flag("--only-video", arguments->options.only_video,
                 "Time the file alone: neither pictures nor patterns")
      ->needs("--video");
  command->add_option("--width", arguments->options.picture.width, "Of the pictures")
      ->check(CLI::Range(64, 8192))
      ->capture_default_str();
  command->add_option("--height", arguments->options.picture.height, "Of the pictures")
      ->check(CLI::Range(64, 8192))
      ->capture_default_str();
  add_format_option(*command, arguments->common);
  command->callback([arguments] { run_bench(*arguments); });
}

}  // namespace prismvid::cli

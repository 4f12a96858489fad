#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "cli/help.h"
#include "cli/progress_bar.h"
#include "cli/summary.h"
#include "core/error.h"
#include "document/json.h"
#include "media/frame_source.h"
#include "pipeline/analyzer.h"
#include "vision/apple/apple_vision.h"
#include "vision/models/manifest.h"

namespace prismvid::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHelp = R"(Each video is decoded once, for all stages together. Every finished stage is stored, so a second run answers from the
database, another option runs only what depends on it, and an interrupted run goes on after its last finished stage.

Stages:
  shots       cuts, dissolves and fades, black and freeze markers, keyframes; looks at every frame
  scenes      runs of shots that look alike
  objects     what the installed detector knows, followed through time
  faces       faces and the people they belong to, across videos
  ocr         text in the picture, from its first to its last frame
  labels      what the keyframes show; places: where, if a scene classifier is installed
  transcript  embedded subtitles, or a file beside the video: VIDEO.srt, VIDEO.vtt, VIDEO.en.srt
A stage without its model is 'unavailable' and says how to install one; the others go on.

Examples:
  prismvid analyze holiday.mp4                          everything, results to the database in your data folder
  prismvid analyze a.mp4 b.mkv archive/ --db work.db    several videos and folders, a database of their own
  prismvid analyze talk.mp4 --range 10:00-20:00         ten minutes; times stay those of the file
  prismvid analyze talk.mp4 --features shots,transcript --shots accurate
  prismvid analyze talk.mp4 --no-faces --fps 1          half the samples, nobody is recognised
  prismvid analyze talk.mp4 --format json -q            the analysis document on standard output
  prismvid analyze talk.mp4 --detector yolox-tiny       one of several installed detectors)";

struct AnalyzeArguments {
  CommonOptions common;
  std::vector<fs::path> inputs;
  std::string features = "all";
  std::string range;
  std::string rate = "2";
  std::string shots = "fast";
  std::string hardware = "none";
  std::string vision = "networks";
  std::string deep;  // empty: as the other options say
  int kv_bits = 16;
  double cache_gb = kDefaultCacheGb;
  bool no_faces = false;
  bool json_progress = false;
  bool quiet = false;
  pipeline::AnalyzeOptions options;
};

/// Files with these endings are taken from folders; a file that is named is always tried.
bool looks_like_video(const fs::path& file) {
  static const std::vector<std::string> kEndings = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts",  ".m2ts",
                                                    ".mts", ".mpg", ".mpeg", ".vob", ".wmv", ".flv", ".3gp", ".ogv", ".mxf"};
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

std::vector<fs::path> expand_folders(const std::vector<fs::path>& inputs) {
  std::vector<fs::path> videos;
  for (const fs::path& input : inputs) {
    std::error_code error;
    if (!fs::is_directory(input, error)) {
      videos.push_back(input);
      continue;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(input, fs::directory_options::skip_permission_denied, error))
      if (entry.is_regular_file(error) && looks_like_video(entry.path())) found.push_back(entry.path());
    check(!found.empty(), ErrorCode::kUnreadable, "folder '", input.string(), "' holds no video files");
    std::sort(found.begin(), found.end());
    videos.insert(videos.end(), found.begin(), found.end());
  }
  return videos;
}

/// --features that name parts of one half only leave the other as it is without the option.
void choose_deep(const AnalyzeArguments& arguments, pipeline::AnalyzeOptions& options) {
  std::set<std::string> deep_features;
  for (const std::string& name : pipeline::kDeepFeatures)
    if (options.features.erase(name) > 0) deep_features.insert(name);
  if (options.features.empty()) options.features = {pipeline::kFeatures.begin(), pipeline::kFeatures.end()};
  const std::string implied = !options.deep.model.empty() ? "on" : deep_features.empty() ? "off" : "auto";
  options.deep.mode = pipeline::parse_deep_mode(arguments.deep.empty() ? implied : arguments.deep);
  if (!deep_features.empty()) {
    check(options.deep.mode != pipeline::DeepMode::kOff, ErrorCode::kInvalidArgument, "'", *deep_features.begin(),
          "' is of the deep stage, which --deep off switches off");
    options.deep.features = deep_features;
  }
}

pipeline::AnalyzeOptions read_options(const AnalyzeArguments& arguments, const vision::ModelRegistry& models) {
  pipeline::AnalyzeOptions options = arguments.options;
  options.features = pipeline::parse_features(arguments.features);
  if (!arguments.range.empty()) options.range = pipeline::parse_range(arguments.range);
  options.sample_rate = pipeline::parse_rate(arguments.rate);
  options.hardware = pipeline::parse_hardware(arguments.hardware);
  options.accurate_shots = arguments.shots == "accurate";
  options.apple_vision = arguments.vision == "apple";
  check(!options.apple_vision || vision::has_apple_vision(), ErrorCode::kInvalidArgument,
        "--vision apple needs macOS: leave it at 'networks'");
  choose_deep(arguments, options);
  // Nobody is told on every run that an extra which needs a model of its own is not there, unless it was asked for.
  if (arguments.features.find("places") == std::string::npos && !models.find("scene_class")) options.features.erase("places");
  if (arguments.no_faces) options.features.erase("faces");
  return options;
}

ProgressStyle progress_style(const AnalyzeArguments& arguments) {
  if (arguments.json_progress) return ProgressStyle::kJson;
  return arguments.quiet ? ProgressStyle::kNone : default_progress_style();
}

/// Gives the exit code of one video: a failed stage counts, one that is not installed does not.
int analyze_one(pipeline::Analyzer& analyzer, const fs::path& video, const AnalyzeArguments& arguments,
                const pipeline::AnalyzeOptions& options) {
  ProgressBar bar(progress_style(arguments));
  try {
    const document::Document document = analyzer.analyze(
        video, options, [&](const pipeline::Progress& progress) { bar.show(progress); }, interrupted());
    bar.clear();
    if (arguments.common.json()) {
      std::cout << document::to_text(document::to_json(document)) << '\n';
    } else if (!arguments.quiet) {
      std::cout << summarize(document);
    }
    return report_stages(document, arguments.common.json());
  } catch (const Error& error) {
    bar.clear();
    if (error.code() == ErrorCode::kCancelled || error.code() == ErrorCode::kStore) throw;
    print_error(error, arguments.common.json());
    return exit_code(error.code());
  }
}

void run_analyze(const AnalyzeArguments& arguments) {
  const auto models = vision::ModelRegistry::standard(arguments.common.models);
  const pipeline::AnalyzeOptions options = read_options(arguments, models);
  const std::vector<fs::path> videos = expand_folders(arguments.inputs);
  const auto store = open_store(arguments.common);
  deep::InstalledModels deep_models(arguments.kv_bits, open_kept_files(arguments.common, arguments.cache_gb));
  pipeline::Analyzer analyzer(*store, models, &deep_models);
  if (videos.size() > 1) analyzer.keep_networks();
  int worst = 0;
  for (const fs::path& video : videos) {
    const int code = analyze_one(analyzer, video, arguments, options);
    if (worst == 0) worst = code;
  }
  if (worst != 0) throw Exit{worst};
}

}  // namespace

void add_analyze_command(CLI::App& app) {
  auto arguments = std::make_shared<AnalyzeArguments>();
  CLI::App* command = app.add_subcommand("analyze", "Find out what is in videos and store it");
  command->add_option("videos", arguments->inputs, "Video files or folders")->required()->type_name("PATH");
  command->add_option("--features", arguments->features,
                      "What to look for, with commas: shots, scenes, objects, faces, ocr, labels, places, transcript, all; of the "
                      "deep stage: caption, describe, chapters, summary, story, highlights")
      ->type_name("LIST")
      ->capture_default_str();
  command->add_option("--range", arguments->range, "Only this part, in source time: 10-20, 1:05-2:10, 30-")->type_name("START-END");
  command->add_option("--fps", arguments->rate, "Frames a second that the detectors look at: 2, 0.5, 30000/1001")->type_name("RATE")->capture_default_str();
  command->add_option("--shots", arguments->shots, "fast, or accurate (TransNetV2, several times slower)")
      ->check(CLI::IsMember({"fast", "accurate"}))
      ->capture_default_str();
  command->add_option("--detector", arguments->options.detector, "Object detector to use (see 'prismvid models')")->type_name("ID");
  command->add_option("--deep", arguments->deep,
                      "Watch with Qwen3-VL: auto (where a model is there), on, off (default: off, on with --model)")
      ->check(CLI::IsMember({"auto", "on", "off"}));
  command->add_option("--model", arguments->options.deep.model,
                      "Model of the deep stage: a folder, or a name in the Hugging Face cache (default: the best there)");
  add_kv_bits(*command, arguments->kv_bits);
  add_cache_size(*command, arguments->cache_gb);
  command->add_option("--language", arguments->options.deep.language, "Language of everything the deep stage writes: en, de, ...")
      ->capture_default_str();
  command->add_flag("--no-faces", arguments->no_faces, "Neither detect nor recognise faces");
  command->add_option("--hardware", arguments->hardware, "Hardware decoding")
      ->check(CLI::IsMember({"none", "auto", "videotoolbox", "cuda", "vaapi"}))
      ->capture_default_str();
  command->add_option("--vision", arguments->vision, "What finds text, faces and labels: PrismVid's networks, or Apple's Vision (macOS)")
      ->check(CLI::IsMember({"networks", "apple"}))
      ->capture_default_str();
  command->add_option("--threads", arguments->options.threads, "Threads to use (0: all that this process may use)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--exact", arguments->options.exact, "Compute networks in f32 also where int8 or bf16 is faster");
  command->add_flag("--force", arguments->options.force, "Run every stage again, whatever is stored");
  command->add_flag("--json-progress", arguments->json_progress, "Progress as one JSON object a line on standard error");
  command->add_flag("-q,--quiet", arguments->quiet, "No progress and no summary");
  add_format_option(*command, arguments->common);
  add_common_options(*command, arguments->common);
  add_help_text(*command, kHelp);
  command->callback([arguments] { run_analyze(*arguments); });
}

}  // namespace prismvid::cli

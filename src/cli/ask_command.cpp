#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "core/media_time.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "pipeline/questions.h"

namespace prismvid::cli {
namespace {

struct AskArguments {
  CommonOptions common;
  DeepArguments deep_options;
  std::vector<std::string> words;  // videos, then the question
  std::string range;
  std::string history;
  bool library = false;
  bool chat = false;
  double cache_gb = kDefaultCacheGb;
  deep::AskOptions options;
};

/// [{"question", "answer"}, ...] of earlier turns; none where the file is not there yet.
std::vector<deep::Turn> read_history(const std::string& file) {
  std::vector<deep::Turn> turns;
  std::ifstream in(file, std::ios::binary);
  if (file.empty() || !in.good()) return turns;
  try {
    for (const auto& turn : document::Json::parse(in))
      turns.push_back(
          {turn.at("question").get<std::string>(), turn.at("answer").get<std::string>()});
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorCode::kInvalidArgument, file, " is no history of questions: ", e.what());
  }
  return turns;
}

void write_history(const std::string& file, const std::vector<deep::Turn>& turns) {
  if (file.empty()) return;
  document::Json list = document::Json::array();
  for (const deep::Turn& turn : turns)
    list.push_back({{"question", turn.question}, {"answer", turn.answer}});
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << document::to_text(list, 2) << '\n';
  out.close();
  check(out.good(), ErrorCode::kUnreadable, "cannot write the history to ", file);
}

void print_proof(const deep::Answer& answer) {
  for (const deep::Citation& citation : answer.citations) {
    std::cout << "  [" << citation.n << "] " << format_clock(citation.range.start_us) << " - "
              << format_clock(citation.range.end_us) << "  " << citation.source;
    if (!citation.text.empty()) std::cout << ": " << citation.text;
    std::cout << '\n';
  }
  for (const deep::BoxAt& box : answer.boxes) {
    char corners[96];
    std::snprintf(corners, sizeof corners, "%.3f, %.3f to %.3f, %.3f", box.box.x0, box.box.y0,
                  box.box.x1, box.box.y1);
    std::cout << "  " << box.label << " at " << format_clock(box.t_us) << ": " << corners
              << " of the picture\n";
  }
  if (answer.shown && !answer.sufficient && answer.engine == "vlm")
    std::cout << "  (no time of the video proves this answer)\n";
}

/// Shows an answer's words on a terminal as they come; what was checked replaces them if it differs.
class LiveWords {
 public:
  deep::AskWatch watch() {
    return {{}, [this](const std::string&, const TimeRange&) { begin_anew(); }, [this](const std::string& words) {
              shown_ += words;
              std::cout << words << std::flush;
            }};
  }

  /// Ends the line; whether the answer stands there already.
  bool end(const std::string& answer) {
    if (shown_.empty()) return false;
    std::cout << '\n';
    return shown_ == answer;
  }

 private:
  void begin_anew() {
    if (!shown_.empty()) std::cout << '\n' << std::flush;
    shown_.clear();
  }

  std::string shown_;
};

void print_json(const deep::Answer& answer) {
  std::cout << document::to_text(deep::to_json(answer)) << '\n' << std::flush;
}

void print_text(const deep::Answer& answer, LiveWords& words) {
  if (!words.end(answer.text)) std::cout << answer.text << '\n';
  print_proof(answer);
  std::cout << std::flush;
  if (answer.degraded)
    std::cerr << "prismvid: answered by search only: " << answer.degraded->message << '\n';
  if (!answer.words_only.empty())
    std::cerr << "prismvid: moments were found by words only: " << answer.words_only << '\n';
}

/// The videos' ids; one that was never analysed is sent to the fast stage first.
std::vector<std::string> video_ids(const AskArguments& arguments, store::Store& store) {
  std::vector<std::string> ids;
  for (const std::string& name : arguments.words) {
    try {
      ids.push_back(pipeline::require_video(store, name).id);
      continue;
    } catch (const Error& error) {
      std::error_code missing;
      if (error.code() != ErrorCode::kNotFound || !std::filesystem::is_regular_file(name, missing))
        throw;
    }
    std::cerr << "prismvid: " << name << " was not analysed yet: running the fast stage first\n";
    const auto models = vision::ModelRegistry::standard(arguments.common.models);
    pipeline::AnalyzeOptions options;
    if (!models.find("scene_class")) options.features.erase("places");
    ids.push_back(
        pipeline::Analyzer(store, models).analyze(name, options, {}, interrupted()).video.id);
  }
  return ids;
}

/// Reads questions until the input ends.
template <typename Ask>
void converse(Ask ask) {
  const bool terminal = isatty(STDIN_FILENO) != 0;
  for (std::string line;;) {
    if (terminal) std::cerr << "? " << std::flush;
    if (!std::getline(std::cin, line)) break;
    if (line.find_first_not_of(" \t\r") != std::string::npos) ask(line);
  }
}

void run_ask(AskArguments& arguments) {
  std::string question;
  if (!arguments.chat) {
    check(!arguments.words.empty(), ErrorCode::kInvalidArgument, "ask needs a question");
    question = arguments.words.back();
    arguments.words.pop_back();
  }
  check(arguments.library != !arguments.words.empty(), ErrorCode::kInvalidArgument,
        arguments.library ? "name videos, or give --library, not both"
                          : "name a video and a question, or a question with --library");
  if (!arguments.range.empty()) arguments.options.range = pipeline::parse_range(arguments.range);
  arguments.options.language = arguments.deep_options.language;
  arguments.options.history = read_history(arguments.history);
  const auto store = open_store(arguments.common);
  const std::vector<std::string> videos = video_ids(arguments, *store);
  const auto models = vision::ModelRegistry::standard(arguments.common.models);
  pipeline::LibrarySearch search(models);
  deep::InstalledModels deep_models(16, open_kept_files(arguments.common, arguments.cache_gb));
  pipeline::Questions questions(*store, search, &deep_models);
  const bool as_json = arguments.common.json(), live = !as_json && isatty(STDOUT_FILENO) != 0;
  const auto ask = [&](const std::string& text) {
    LiveWords words;
    deep::AskOptions options = arguments.options;
    if (live) options.watch = words.watch();
    const deep::Answer answer =
        questions.ask(videos, text, arguments.deep_options.model, options, interrupted());
    if (as_json)
      print_json(answer);
    else
      print_text(answer, words);
    arguments.options.history.push_back({text, answer.text});
    write_history(arguments.history, arguments.options.history);
  };
  if (arguments.chat)
    converse(ask);
  else
    ask(question);
}

}  // namespace

void add_ask_command(CLI::App& app) {
  auto arguments = std::make_shared<AskArguments>();
  CLI::App* command =
      app.add_subcommand("ask", "Answer a question about videos, with the times that prove it");
  command
      ->add_option("words", arguments->words,
                   "Analysed videos (file, id or hash), then the question")
      ->type_name("VIDEO... QUESTION");
  command->add_flag("--library", arguments->library, "Ask about every analysed video");
  command->add_flag("--chat", arguments->chat,
                    "Read questions from standard input, one a line; each knows those before it");
  command
      ->add_option("--history", arguments->history,
                   "File with earlier turns, to which this one is added")
      ->type_name("FILE");
  command->add_option("--range", arguments->range, "Only this part: 10-20, 1:05-2:10, 30-");
  command
      ->add_option("--windows", arguments->options.most_windows,
                   "Most parts of the videos to look at")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--locate", arguments->options.locate,
                      "Also give boxes of this thing, for example \"the red cup\"");
  add_deep_options(*command, arguments->deep_options);
  add_cache_size(*command, arguments->cache_gb);
  add_format_option(*command, arguments->common);
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_ask(*arguments); });
}

}  // namespace prismvid::cli

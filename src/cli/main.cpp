#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <iostream>
#include <new>
#include <string_view>

#include "cli/command.h"
#include "cli/help.h"
#include "version.h"

namespace {

using namespace prismvid;

constexpr const char* kExamples = R"(Examples:
  prismvid analyze holiday.mp4                    what is in the video: shots, people, text, labels
  prismvid analyze archive/ --features shots,ocr  a folder, only shots and text
  prismvid export holiday.mp4 --format html -o holiday.html
  prismvid analyze holiday.mp4 --deep auto        also captions, chapters, a summary, the story
  prismvid ask holiday.mp4 "Who hands over the folder?"
  prismvid search "red cup" --person Anna         where it is seen or told, in all videos
  prismvid people name p_1 "Anna"
  prismvid serve --media videos/                  the page and the API, on this machine
  prismvid models                                 what is installed, what is missing

'prismvid COMMAND --help' says more about one command.)";

bool asks_for_json(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--format=json") return true;
    if (argument == "--format" && i + 1 < count && std::string_view(arguments[i + 1]) == "json") return true;
  }
  return false;
}

/// CLI11 would only say that a command is required; the user wants to know which word was wrong.
void refuse_unknown_command(CLI::App& app, int count, char** arguments) {
  if (count < 2 || arguments[1][0] == '-') return;
  std::string known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == arguments[1]) return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  fail(ErrorCode::kInvalidArgument, "unknown command '", arguments[1], "': choose from ", known);
}

int run(int count, char** arguments, bool json) {
  CLI::App app("PrismVid watches videos and says what is in them. Nothing leaves this machine.", "prismvid");
  app.set_version_flag("--version", std::string("prismvid ") + kVersion);
  app.require_subcommand(1);
  app.footer(cli::kExitCodesHelp);  // commands take it over from here
  cli::add_analyze_command(app);
  cli::add_ask_command(app);
  cli::add_bench_command(app);
  cli::add_eval_command(app);
  cli::add_export_command(app);
  cli::add_keys_command(app);
  cli::add_models_command(app);
  cli::add_people_command(app);
  cli::add_search_command(app);
  cli::add_serve_command(app);
  cli::add_worker_command(app);
#ifdef PRISMVID_MLX
  cli::add_describe_command(app);
  cli::add_generate_command(app);
  cli::add_checkpoint_commands(app);
#endif
  cli::add_help_text(app, kExamples);
  refuse_unknown_command(app, count, arguments);
  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& problem) {
    cli::print_error(Error(ErrorCode::kInvalidArgument, problem.what() + std::string(" (see 'prismvid --help')")), json);
    return cli::exit_code(ErrorCode::kInvalidArgument);
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("prismvid", std::make_shared<spdlog::sinks::stderr_sink_mt>()));
  spdlog::set_level(spdlog::level::warn);
  spdlog::set_pattern("prismvid: %l: %v");
  const bool json = asks_for_json(count, arguments);
  cli::interrupted();  // before any other thread starts: they inherit the blocked signals
  try {
    return run(count, arguments, json);
  } catch (const cli::Exit& exit) {
    return exit.code;
  } catch (const Error& error) {
    cli::print_error(error, json);
    return cli::exit_code(error.code());
  } catch (const std::bad_alloc&) {
    cli::print_error(Error(ErrorCode::kInternal, "out of memory"), json);
  } catch (const std::exception& error) {
    cli::print_error(Error(ErrorCode::kInternal, std::string("internal error: ") + error.what()), json);
  }
  return cli::exit_code(ErrorCode::kInternal);
}

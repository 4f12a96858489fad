#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "core/error.h"
#include "core/file_cache.h"
#include "store/store.h"

// Each command is a function that adds its options to the program and a callback that runs it.
namespace prismvid::cli {

/// What every command shares.
struct CommonOptions {
  std::string database;            // empty = the user's own
  std::filesystem::path models;    // empty = the standard folders
  std::string format = "text";

  bool json() const { return format == "json"; }
};

/// Adds --db, --models and --verbose.
void add_common_options(CLI::App& command, CommonOptions& options);

/// The database of --db, or the user's own. Throws Error(kStore).
std::unique_ptr<store::Store> open_store(const CommonOptions& options);

/// Where the deep stage keeps what it can make again, beside that database; null for 0 gigabytes.
std::shared_ptr<FileCache> open_kept_files(const CommonOptions& options, double gigabytes);

/// Adds --format text|json.
void add_format_option(CLI::App& command, CommonOptions& options);

/// Stops when the user presses Ctrl-C or the process gets SIGTERM.
std::stop_token interrupted();

/// 0 done, 1 bug, 2 usage, 3 no such or unreadable input, 4 not a decodable video, 5 store, 6 model, 130 interrupted.
int exit_code(ErrorCode code);

/// One line "prismvid: ..." on standard error, or an object with --format json.
void print_error(const Error& error, bool as_json);

/// Ends the program with `code` after every destructor has run; thrown by a command that has reported its errors itself.
struct Exit {
  int code;
};

void add_analyze_command(CLI::App& app);
void add_ask_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_keys_command(CLI::App& app);
void add_models_command(CLI::App& app);
void add_people_command(CLI::App& app);
void add_search_command(CLI::App& app);
void add_serve_command(CLI::App& app);
void add_worker_command(CLI::App& app);

/// `prismvid generate`: asks a Qwen3-VL checkpoint about pictures, videos and text. Built with PRISMVID_MLX only.
void add_generate_command(CLI::App& app);

/// `prismvid describe`: one picture. Built with PRISMVID_MLX only.
void add_describe_command(CLI::App& app);

/// `prismvid models pull`, `models convert` and `models info`, behind add_models_command(). Built with PRISMVID_MLX only.
void add_checkpoint_commands(CLI::App& app);

}  // namespace prismvid::cli

#include "cli/command.h"

#include <spdlog/spdlog.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "store/open_store.h"

namespace prismvid::cli {

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--db", options.database, "Database file, or postgres://USER@HOST/NAME (default: a file in your data folder)")
      ->envname("PRISMVID_DB")
      ->type_name("FILE|URL");
  command.add_option("--models", options.models, "Folder of installed models (default: see 'prismvid models')")
      ->envname("PRISMVID_MODELS")
      ->type_name("DIR");
  command.add_flag_callback(
      "-v,--verbose", [] { spdlog::set_level(spdlog::level::debug); }, "Log what happens inside");
}

void add_format_option(CLI::App& command, CommonOptions& options) {
  command.add_option("--format", options.format, "How results and errors are printed")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

std::unique_ptr<store::Store> open_store(const CommonOptions& options) {
  return store::open_store(options.database);
}

std::shared_ptr<FileCache> open_kept_files(const CommonOptions& options, double gigabytes) {
  if (gigabytes <= 0) return nullptr;
  return std::make_shared<FileCache>(store::Address(options.database).kept_folder(), static_cast<uint64_t>(gigabytes * 1e9));
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument: return 2;
    case ErrorCode::kNotFound:
    case ErrorCode::kUnreadable: return 3;
    case ErrorCode::kNotVideo: return 4;
    case ErrorCode::kStore: return 5;
    case ErrorCode::kModel:
    case ErrorCode::kUnavailable: return 6;
    case ErrorCode::kCancelled: return 130;
    case ErrorCode::kInternal: return 1;
  }
  return 1;
}

void print_error(const Error& error, bool as_json) {
  if (as_json) {
    const nlohmann::json object = {{"error", {{"code", to_string(error.code())}, {"message", error.what()}}}};
    std::cerr << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else {
    std::string line = error.what();
    for (char& c : line)
      if (c == '\n' || c == '\r') c = ' ';
    std::cerr << "prismvid: " << line << '\n';
  }
}

}  // namespace prismvid::cli

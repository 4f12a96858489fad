#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace prismvid::cli {

/// What every command of the deep stage takes.
struct DeepArguments {
  std::string model;  // empty: the best installed
  std::string language = "en";
};

/// Nearly six hours of video as it is shown by default.
inline constexpr double kDefaultCacheGb = 8;

/// Adds --kv-bits, which every command that loads a deep model for long work takes.
inline void add_kv_bits(CLI::App& command, int& kv_bits) {
  command
      .add_option("--kv-bits", kv_bits,
                  "Bits that the model's keys and values are kept in: 16 (as they come), 8 or 4")
      ->check(CLI::IsMember({16, 8, 4}));
}

/// Adds --cache-size.
inline void add_cache_size(CLI::App& command, double& gigabytes) {
  command
      .add_option("--cache-size", gigabytes,
                  "GB of the disk, beside the database, for frames that the deep model was shown: "
                  "later questions need not decode them again; 0: none")
      ->envname("PRISMVID_CACHE_SIZE")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
}

/// Adds --model and --language.
inline void add_deep_options(CLI::App& command, DeepArguments& arguments) {
  command.add_option("--model", arguments.model,
                     "Model of the deep stage: a folder, or a name in the Hugging Face cache "
                     "(default: the best there)");
  command
      .add_option("--language", arguments.language,
                  "Language of what the model writes: en, de, ...")
      ->capture_default_str();
}

}  // namespace prismvid::cli

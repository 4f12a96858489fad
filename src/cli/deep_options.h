#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace prismvid::cli {

/// What every command of the deep stage takes.
struct DeepArguments {
  std::string model;  // empty: the best installed
  std::string language = "en";
};

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

#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace prismvid::cli {

/// Ends a command's --help with `text` (notes, examples), before what all commands end with.
void add_help_text(CLI::App& command, const std::string& text);

/// The exit codes, as every --help gives them.
extern const char* const kExitCodesHelp;

}  // namespace prismvid::cli

#pragma once

#include <CLI/CLI.hpp>

namespace prismvid::cli {

/// Lets every option of `command` so far, `--some-name`, also be given as PRISMVID_SOME_NAME and as
/// `some-name = value` in a file named with --config or PRISMVID_CONFIG. The command line goes before the
/// environment, and that before the file. A key of the file that is no option is refused.
void add_settings(CLI::App& command);

}  // namespace prismvid::cli

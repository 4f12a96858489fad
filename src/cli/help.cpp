#include "cli/help.h"

namespace prismvid::cli {

const char* const kExitCodesHelp =
    "Exit codes: 0 done, 2 usage, 3 no such or unreadable input, 4 not a decodable video, 5 database, 6 model, 130 interrupted.";

void add_help_text(CLI::App& command, const std::string& text) { command.footer(text + "\n\n" + command.get_footer()); }

}  // namespace prismvid::cli

#include "cli/settings.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "core/error.h"

namespace prismvid::cli {
namespace {

std::string variable_of(const std::string& option) {
  std::string name = "PRISMVID_" + option;
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::string known_keys(const CLI::App& command) {
  std::string known;
  for (const CLI::Option* option : command.get_options())
    if (option->get_configurable() && !option->get_lnames().empty()) known += (known.empty() ? "" : ", ") + option->get_lnames().front();
  return known;
}

CLI::Option& option_of(CLI::App& command, const CLI::ConfigItem& item) {
  check(item.parents.empty(), ErrorCode::kInvalidArgument, "sections such as [", item.parents.empty() ? "" : item.parents.front(), "] are not used: write 'key = value' lines");
  CLI::Option* option = command.get_option_no_throw("--" + item.name);
  check(option != nullptr && option->get_configurable(), ErrorCode::kInvalidArgument, "there is no '", item.name, "': choose from ", known_keys(command));
  return *option;
}

/// What the command line and the environment have left open.
void read_file(CLI::App& command, const std::string& file) {
  try {
    CLI::ConfigTOML format;
    for (const CLI::ConfigItem& item : format.from_file(file)) {
      CLI::Option& option = option_of(command, item);
      if (option.count() > 0) continue;
      if (option.get_expected_min() == 0)
        option.add_result(option.get_flag_value(item.name, format.to_flag(item)));
      else
        option.add_result(item.inputs);
      option.run_callback();
    }
  } catch (const CLI::Error& error) {
    fail(ErrorCode::kInvalidArgument, file, ": ", error.what());
  } catch (const Error& error) {
    fail(error.code(), file, ": ", error.what());
  }
}

}  // namespace

void add_settings(CLI::App& command) {
  const auto file = std::make_shared<std::string>();
  command.add_option("--config", *file, "File of 'option = value' lines; the environment (PRISMVID_LISTEN for --listen) goes before it, the command line before both")
      ->type_name("FILE")
      ->check(CLI::ExistingFile)
      ->configurable(false);
  for (CLI::Option* option : command.get_options())
    if (!option->get_lnames().empty() && option->get_lnames().front() != "help") option->envname(variable_of(option->get_lnames().front()));
  command.parse_complete_callback([&command, file] {
    if (!file->empty()) read_file(command, *file);
  });
}

}  // namespace prismvid::cli

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "core/media_time.h"
#include "document/json.h"
#include "pipeline/analyzer.h"
#include "pipeline/library_search.h"

namespace prismvid::cli {
namespace {

struct SearchArguments {
  CommonOptions common;
  search::SearchQuery query;
};

/// The snippet with its matches in bold, where a terminal shows it.
std::string emphasised(const search::Snippet& snippet) {
  static const bool terminal = isatty(STDOUT_FILENO) != 0;
  std::string text = snippet.text;
  if (!terminal) return text;
  for (const std::string& match : snippet.matches)
    for (size_t at = 0; (at = text.find(match, at)) != std::string::npos;) {
      const std::string bold = "\033[1m" + match + "\033[0m";
      text.replace(at, match.size(), bold);
      at += bold.size();
    }
  return text;
}

void print_text(const pipeline::LibraryHits& found) {
  if (found.hits.empty()) std::cout << "Nothing found.\n";
  for (const search::SearchHit& hit : found.hits) {
    std::cout << std::filesystem::path(hit.path).filename().string() << "  "
              << format_clock(hit.range.start_us) << " - " << format_clock(hit.range.end_us) << "  "
              << hit.kind << ": " << emphasised(hit.snippet);
    if (hit.times > 1) std::cout << "  (" << hit.times << " times)";
    std::cout << '\n';
  }
}

void run_search(const SearchArguments& arguments) {
  const auto store = open_store(arguments.common);
  search::SearchQuery query = arguments.query;
  const auto models = vision::ModelRegistry::standard(arguments.common.models);
  for (std::string& video : query.videos) video = pipeline::require_video(*store, video).id;
  const pipeline::LibraryHits found = pipeline::LibrarySearch(models).find(*store, query);
  if (arguments.common.json())
    std::cout << document::to_text(pipeline::to_json(found)) << '\n';
  else
    print_text(found);
  if (!found.words_only.empty() && !arguments.common.json())
    std::cerr << "prismvid: searched by words only: " << found.words_only << '\n';
}

}  // namespace

void add_search_command(CLI::App& app) {
  auto arguments = std::make_shared<SearchArguments>();
  search::SearchQuery& query = arguments->query;
  CLI::App* command = app.add_subcommand("search", "Find moments in every analysed video");
  command->add_option("words", query.words,
                      "What to look for; words in double quotes must follow each other");
  command->add_option("--person", query.people, "Only while this person (id or exact name) is seen")
      ->allow_extra_args(false);
  command->add_option("--label", query.labels, "Only while this label, object or place is seen")
      ->allow_extra_args(false);
  command->add_option("--video", query.videos, "Only in this video (file, id or hash)")
      ->allow_extra_args(false);
  command->add_option("--since", query.since, "Only videos added on this day or later")
      ->type_name("DATE");
  command->add_option("--until", query.until, "Only videos added on this day or before")
      ->type_name("DATE");
  command->add_option("--limit", query.limit, "Most moments shown")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_format_option(*command, arguments->common);
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_search(*arguments); });
}

}  // namespace prismvid::cli

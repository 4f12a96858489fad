#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/help.h"
#include "document/export.h"
#include "pipeline/analyzer.h"

namespace prismvid::cli {
namespace {

constexpr const char* kHelp = R"(Names and corrections of people that were made since the analysis are in it.

Formats:
  json        the analysis document (schema/analysis.schema.json)
  html        a report in one file, with pictures
  vtt, srt    the transcript as subtitles; captions: what the deep stage says of the pictures
  chapters    chapters as WebVTT; ffmetadata: the same for ffmpeg
  csv         one row for each shot, object, face, text, label and line of transcript
  edl, otio   shots for editing programs
  tracks      every box of every track (docs/tracks.md)

Examples:
  prismvid export holiday.mp4 | jq .shots
  prismvid export holiday.mp4 --format html -o holiday.html
  prismvid export v_1a2b3c4d5e6f --format srt -o holiday.srt)";

struct ExportArguments {
  CommonOptions common;
  std::string video;
  std::string format = "json";
  std::filesystem::path output;
};

/// Written beside the target and renamed, so that a full disk leaves no half file in its place.
void write_file(const std::filesystem::path& path, const std::string& text) {
  const std::filesystem::path partial = path.string() + ".part";
  std::ofstream stream(partial, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(partial, path, error);
  if (stream && !error) return;
  const std::string reason = error ? error.message() : std::strerror(errno);
  std::filesystem::remove(partial, error);
  fail(ErrorCode::kUnreadable, "cannot write '", path.string(), "': ", reason);
}

/// The sidecar is bytes of the store, not made from the document.
std::string read_tracks(store::Store& store, const document::Document& document) {
  for (const document::Artifact& artifact : document.artifacts)
    if (artifact.kind == "tracks")
      if (const auto bytes = store.load_blob(artifact.sha256, "tracks.bin")) return {bytes->begin(), bytes->end()};
  fail(ErrorCode::kNotFound, "video ", document.video.id, " has no stored tracks: run 'prismvid analyze' again");
}

void run_export(const ExportArguments& arguments) {
  const bool tracks = arguments.format == "tracks";
  const document::Format format = tracks ? document::Format::kJson : document::parse_format(arguments.format);
  const auto store = open_store(arguments.common);
  const store::VideoRecord video = pipeline::require_video(*store, arguments.video);
  const document::Document document = pipeline::latest_document(*store, video.id);
  document::ExportContext context;
  context.picture = [&](const std::string& href) -> std::optional<std::vector<uint8_t>> {
    const auto place = document::locate_picture(document, href);
    return place ? store->load_blob(place->cache_key, place->blob) : std::nullopt;
  };
  const std::string text = tracks ? read_tracks(*store, document) : document::export_document(document, format, context);
  if (arguments.output.empty() || arguments.output == "-") {
    std::cout << text << std::flush;
    check(std::cout.good(), ErrorCode::kUnreadable, "cannot write to standard output: ", std::strerror(errno));
  } else {
    write_file(arguments.output, text);
  }
}

}  // namespace

void add_export_command(CLI::App& app) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Write an analysis in another format");
  command->add_option("video", arguments->video, "A video that was analysed: its file, id or content hash")->required()->type_name("VIDEO");
  command->add_option("--format", arguments->format, "One of: " + document::format_names() + ", tracks")->type_name("NAME")->capture_default_str();
  command->add_option("-o,--output", arguments->output, "File to write (default: standard output)")->type_name("FILE");
  add_common_options(*command, arguments->common);
  add_help_text(*command, kHelp);
  command->callback([arguments] { run_export(*arguments); });
}

}  // namespace prismvid::cli

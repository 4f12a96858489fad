#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/pull_model.h"
#include "inference/hub.h"
#include "models/qwen3_vl/checkpoint.h"
#include "models/qwen3_vl/convert.h"

namespace prismvid::cli {
namespace {

struct ConvertArguments {
  std::string source;
  std::string destination;
  qwen3_vl::ConvertOptions options;
};

struct PullArguments {
  std::string name;
  std::string revision = "main";
};

struct InfoArguments {
  CommonOptions common;
  std::string model;
};

void convert(const ConvertArguments& arguments) {
  const auto result = qwen3_vl::convert_checkpoint(
      inference::find_model(arguments.source), arguments.destination, arguments.options,
      [](const std::string& file) { std::cerr << "written " << file << "\n"; });
  std::cout << "converted to " << arguments.destination << ": " << (result.bytes_before >> 20)
            << " MB became " << (result.bytes_after >> 20) << " MB in " << result.files
            << (result.files == 1 ? " file" : " files") << "\n";
}

nlohmann::ordered_json describe(const qwen3_vl::Checkpoint& checkpoint) {
  const auto& text = checkpoint.config.text;
  const auto& vision = checkpoint.config.vision;
  const bool sees = checkpoint.tensors.contains("model.visual.patch_embed.proj.weight");
  nlohmann::ordered_json info{{"folder", checkpoint.folder.string()},
                              {"model_type", checkpoint.config.file.value("model_type", "")},
                              {"weight_bytes", checkpoint.bytes},
                              {"tensors", checkpoint.tensors.size()},
                              {"layers", text.layers},
                              {"hidden_size", text.hidden_size},
                              {"vocabulary", text.vocabulary},
                              {"max_positions", text.max_positions},
                              {"tied_head", checkpoint.config.tied_head},
                              {"vision", sees ? "yes" : "no, a text-only export"},
                              {"vision_blocks", sees ? vision.depth : 0}};
  if (text.experts)
    info["experts"] = {{"count", text.experts->experts},
                       {"per_token", text.experts->experts_per_token}};
  const auto quantization = checkpoint.config.file.find("quantization");
  info["quantization"] =
      quantization == checkpoint.config.file.end() ? nlohmann::json() : *quantization;
  return info;
}

void print_info(const InfoArguments& arguments) {
  const auto info = describe(qwen3_vl::open_checkpoint(inference::find_model(arguments.model)));
  if (arguments.common.json()) {
    std::cout << info.dump(2) << "\n";
    return;
  }
  for (const auto& [key, value] : info.items())
    std::cout << key << ": " << (value.is_string() ? value.get<std::string>() : value.dump())
              << "\n";
}

// One line that is redrawn on a terminal, otherwise a line for each file.
class PullLine {
 public:
  void show(const PullProgress& progress) {
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    std::string line = progress.file + " (" + std::to_string(progress.file_number) + " of " +
                       std::to_string(progress.files) + ")";
    if (terminal)
      line += "  " + std::to_string(progress.done >> 20) + " of " +
              std::to_string(progress.total >> 20) + " MB";
    if (line == shown_) return;
    std::cerr << (terminal ? "\r\033[K" : "") << line << (terminal ? "" : "\n") << std::flush;
    shown_ = line;
    open_ = terminal;
  }
  ~PullLine() {
    if (open_) std::cerr << "\n";
  }

 private:
  std::string shown_;
  bool open_ = false;
};

void pull(const PullArguments& arguments) {
  if (inference::hub_is_offline()) {
    const auto snapshot = inference::hub_snapshot(arguments.name, arguments.revision);
    check(!snapshot.empty(), ErrorCode::kUnavailable,
          "HF_HUB_OFFLINE is set, so nothing is downloaded, and ", arguments.name, " is not in ",
          inference::hub_folder().string());
    std::cout << snapshot.string() << "\n";
    return;
  }
  PullLine line;
  PullOptions options;
  options.endpoint = inference::hub_endpoint();
  options.token = inference::hub_token();
  options.revision = arguments.revision;
  options.hub = inference::hub_folder();
  options.stop = interrupted();
  options.progress = [&](const PullProgress& progress) { line.show(progress); };
  std::cout << pull_model(arguments.name, options).string() << "\n";
}

}  // namespace

void add_checkpoint_commands(CLI::App& app) {
  CLI::App& models = *app.get_subcommand("models");
  auto conversion = std::make_shared<ConvertArguments>();
  CLI::App& command = *models.add_subcommand(
      "convert", "Quantise a Qwen3-VL checkpoint, in mlx-community's format");
  command
      .add_option("source", conversion->source,
                  "Folder of a bf16, f16 or f32 checkpoint, or its name")
      ->required();
  command.add_option("destination", conversion->destination, "New folder")->required();
  command
      .add_option("--bits", conversion->options.bits,
                  "2, 3, 4, 5, 6 or 8; 0 only changes the layout")
      ->capture_default_str();
  command
      .add_option("--group-size", conversion->options.group_size,
                  "32, 64 or 128 weights share a scale")
      ->capture_default_str();
  command
      .add_option("--mode", conversion->options.mode,
                  "affine, or mxfp4, mxfp8 or nvfp4, which set bits and groups themselves")
      ->check(CLI::IsMember({"affine", "mxfp4", "mxfp8", "nvfp4"}))
      ->capture_default_str();
  command.callback([conversion] { convert(*conversion); });

  auto pulled = std::make_shared<PullArguments>();
  CLI::App& fetch =
      *models.add_subcommand("pull", "Download a model from Hugging Face into its cache");
  fetch.add_option("name", pulled->name, "For example mlx-community/Qwen3-VL-8B-Instruct-4bit")
      ->required();
  fetch.add_option("--revision", pulled->revision, "Branch, tag or commit")->capture_default_str();
  fetch.footer(
      "HF_TOKEN opens private and gated models; HF_ENDPOINT, HF_HOME, HF_HUB_CACHE and "
      "HF_HUB_OFFLINE are honoured.");
  fetch.callback([pulled] { pull(*pulled); });

  auto info = std::make_shared<InfoArguments>();
  CLI::App& show = *models.add_subcommand("info", "What a Qwen3-VL checkpoint holds");
  show.add_option("model", info->model, "Folder of a checkpoint, or its name")->required();
  add_format_option(show, info->common);
  show.callback([info] { print_info(*info); });
}

}  // namespace prismvid::cli

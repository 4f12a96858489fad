#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/help.h"
#include "vision/models/catalogue.h"
#include "vision/models/install.h"
#include "vision/models/manifest.h"
#include "vision/objects/install_detector.h"

namespace prismvid::cli {
namespace {

using nlohmann::json;
using vision::ModelManifest;
using vision::ModelRegistry;

constexpr const char* kHelp = R"(Nothing is downloaded but by 'install' and 'pull'. Every file is checked against the sha256 of its manifest (docs/models.md).

Examples:
  prismvid models                                        what is installed, what can be
  prismvid models check
  prismvid models install yolox-tiny                     from its upstream address
  prismvid models install my.onnx --decoder yolox --classes names.txt
  prismvid models install folder/                        with a manifest.json)";

struct ModelsArguments {
  CommonOptions common;
  std::string source;
  vision::InstallOptions install;
  vision::DetectorFileOptions detector;
  std::string classes = "coco";
};

/// A bare ONNX file needs its manifest written; anything else brings one.
bool is_bare_detector(const ModelsArguments& arguments) { return arguments.source.ends_with(".onnx"); }

bool is_installed(const ModelRegistry& registry, const ModelManifest& model) {
  const auto& models = registry.models();
  return std::any_of(models.begin(), models.end(), [&](const ModelManifest& other) { return other.id == model.id; });
}

json to_json(const ModelManifest& model, bool installed) {
  return {{"id", model.id},           {"task", model.task},       {"version", model.version}, {"licence", model.licence},
          {"source", model.source},   {"installed", installed},   {"folder", model.folder.string()}};
}

void print_line(const ModelManifest& model) {
  std::cout << "  " << std::left << std::setw(30) << model.id << ' ' << std::setw(18) << model.task << ' ' << model.licence
            << "\n";
}

void list_models(const ModelsArguments& arguments) {
  const ModelRegistry registry = ModelRegistry::standard(arguments.common.models);
  json list = json::array();
  std::vector<ModelManifest> available;
  for (const ModelManifest& model : vision::model_catalogue())
    if (!is_installed(registry, model)) available.push_back(model);
  if (arguments.common.json()) {
    for (const ModelManifest& model : registry.models()) list.push_back(to_json(model, true));
    for (const ModelManifest& model : available) list.push_back(to_json(model, false));
    std::cout << list.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
    return;
  }
  std::cout << "Installed:\n";
  for (const ModelManifest& model : registry.models()) print_line(model);
  if (registry.models().empty()) std::cout << "  none: run 'make setup'\n";
  std::cout << "Can be installed with 'prismvid models install ID' (fetched from upstream), or from a file or folder:\n";
  for (const ModelManifest& model : available) print_line(model);
  std::cout << "New models go to " << registry.install_folder().string() << '\n';
  for (const std::string& problem : registry.problems()) std::cerr << "prismvid: " << problem << '\n';
}

void check_models(const ModelsArguments& arguments) {
  const ModelRegistry registry = ModelRegistry::standard(arguments.common.models);
  bool sound = registry.problems().empty();
  for (const std::string& problem : registry.problems()) std::cerr << "prismvid: " << problem << '\n';
  for (const vision::ModelCheck& result : vision::check_models(registry)) {
    if (result.problem.empty()) {
      std::cout << "ok       " << result.model.id << '\n';
    } else {
      sound = false;
      std::cerr << "prismvid: " << result.problem << '\n';
    }
  }
  if (!sound) throw Exit{exit_code(ErrorCode::kModel)};
}

void install_model(ModelsArguments& arguments) {
  const ModelRegistry registry = ModelRegistry::standard(arguments.common.models);
  arguments.install.transfer.stop = interrupted();
  if (is_bare_detector(arguments)) {
    check(!arguments.detector.decoder.empty(), ErrorCode::kInvalidArgument, "say what '", arguments.source,
          "' is: --decoder yolox, rtdetr or dfine");
    if (arguments.classes != "coco") arguments.detector.classes = vision::read_class_names(arguments.classes);
  }
  const ModelManifest model =
      is_bare_detector(arguments)
          ? vision::install_detector(registry, arguments.source, arguments.detector, arguments.install)
          : vision::install_model(registry, arguments.source, arguments.install);
  std::cout << "installed " << model.id << " (" << model.task << ", " << model.licence << ") in " << model.folder.string() << '\n';
}

}  // namespace

void add_models_command(CLI::App& app) {
  auto arguments = std::make_shared<ModelsArguments>();
  CLI::App* models = app.add_subcommand("models", "List, check and install the models of the fast stage");
  add_common_options(*models, arguments->common);
  models->require_subcommand(0, 1);
  models->fallthrough();
  add_help_text(*models, kHelp);
  models->callback([models, arguments] {
    if (models->get_subcommands().empty()) list_models(*arguments);
  });

  CLI::App* list = models->add_subcommand("list", "What is installed and what can be");
  add_format_option(*list, arguments->common);
  list->callback([arguments] { list_models(*arguments); });

  CLI::App* check = models->add_subcommand("check", "Read every installed file and compare its checksum");
  check->callback([arguments] { check_models(*arguments); });

  CLI::App* install = models->add_subcommand("install", "Add a model");
  install->add_option("source", arguments->source, "Id from the list, a folder with a manifest.json, such a file, or an .onnx detector")->required();
  install->add_option("--url", arguments->install.url, "Fetch the model's file from this address instead");
  install->add_option("--sha256", arguments->install.sha256, "The checksum to expect");
  install->add_flag("--trust", arguments->install.trust, "Take a file that nobody states a checksum of");
  install->add_option("--decoder", arguments->detector.decoder, "Of an .onnx detector: yolox, rtdetr or dfine")
      ->check(CLI::IsMember({"yolox", "rtdetr", "dfine"}));
  install->add_option("--classes", arguments->classes, "Of an .onnx detector: coco, or a file with one name a line")
      ->capture_default_str();
  install->add_flag("--decoded", arguments->detector.decoded, "Of an .onnx detector: YOLOX exported with its boxes decoded");
  install->add_option("--id", arguments->detector.id, "Of an .onnx detector: its name here (default: the file's)");
  install->add_option("--licence", arguments->detector.licence, "Of an .onnx detector: the licence of its weights");
  install->callback([arguments] { install_model(*arguments); });
}

}  // namespace prismvid::cli

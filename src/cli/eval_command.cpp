#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "cli/command.h"
#include "deep/recorded_models.h"
#include "document/json.h"
#include "pipeline/evaluate.h"

namespace prismvid::cli {
namespace {

using document::Json;

struct EvalArguments {
  CommonOptions common;
  std::filesystem::path set;
  std::filesystem::path videos;
  std::filesystem::path output;
  std::filesystem::path requests;
  std::vector<std::string> models;
  pipeline::EvalOptions options;
};

void print_scores(const Json& report) {
  const Json& settings = report.at("settings");
  std::cout << settings.value("model", "") << " (" << settings.value("quant", "") << ", "
            << settings.value("backend", "") << ", " << settings.value("method", "") << ")\n";
  for (const auto& [kind, score] : report.at("scores").items()) {
    char line[160];
    std::snprintf(line, sizeof line, "  %-28s %6.2f %%  %d of %d\n", kind.c_str(),
                  score.at("share").get<double>() * 100, score.at("right").get<int>(),
                  score.at("of").get<int>());
    std::cout << line;
  }
  std::cout << std::flush;
}

void write_report(const std::filesystem::path& file, const Json& reports) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << document::to_text(reports, 1) << '\n';
  out.close();
  check(out.good(), ErrorCode::kUnreadable, "cannot write ", file.string());
}

void run_eval(const EvalArguments& arguments) {
  const std::stop_token stop = interrupted();  // before MLX starts its threads
  const auto items = pipeline::read_eval_set(arguments.set, arguments.videos);
  const auto store = open_store(arguments.common);
  const auto models = vision::ModelRegistry::standard(arguments.common.models);
  deep::InstalledModels deep_models;
  const auto progress = [](size_t done, size_t of) {
    if (done % 20 == 0 || done == of)
      std::cerr << "prismvid: " << done << " of " << of << " questions\n";
  };
  Json reports = Json::array();
  for (const std::string& model : arguments.models) {
    std::optional<deep::RecordedModels> recorded;
    if (!arguments.requests.empty())
      recorded.emplace(deep_models, arguments.requests / std::to_string(reports.size()));
    deep::ModelProvider& asked =
        recorded ? static_cast<deep::ModelProvider&>(*recorded) : deep_models;
    reports.push_back(pipeline::evaluate(items, model, arguments.options,
                                         {*store, models, asked, progress, stop}));
    if (!arguments.output.empty()) write_report(arguments.output, reports);
    if (!arguments.common.json()) print_scores(reports.back());
  }
  if (arguments.common.json()) std::cout << document::to_text(reports) << '\n';
}

}  // namespace

void add_eval_command(CLI::App& app) {
  auto arguments = std::make_shared<EvalArguments>();
  CLI::App* command = app.add_subcommand("eval", "Score a model on questions about videos");
  command
      ->add_option("set", arguments->set,
                   "Questions: plain, Video-MME, MVBench or LVBench layout (docs/deep.md)")
      ->required()
      ->type_name("SET.jsonl");
  command->add_option("--videos", arguments->videos, "Folder of the videos (default: the set's)")
      ->type_name("DIR");
  command->add_option("--model", arguments->models, "Model to score; several are compared")
      ->required();
  command->add_option("--frames", arguments->options.frames, "Frames of each video, evenly spaced")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--analysed", arguments->options.analysed,
                    "Analyse the videos first and answer free questions as 'ask' does");
  command->add_option("--detector", arguments->options.detector,
                      "Object detector of that analysis");
  command->add_option("--language", arguments->options.language, "Language of free answers")
      ->capture_default_str();
  command
      ->add_option("--temperature", arguments->options.temperature, "0 takes the likeliest answer")
      ->capture_default_str();
  command->add_option("--seed", arguments->options.seed, "Of sampling")->capture_default_str();
  command
      ->add_option("-o,--output", arguments->output, "Report with settings and every answer (JSON)")
      ->type_name("FILE");
  command
      ->add_option(
          "--requests", arguments->requests,
          "Also write what the model of number N (from 0) was given and replied into DIR/N")
      ->type_name("DIR");
  add_format_option(*command, arguments->common);
  add_common_options(*command, arguments->common);
  command->callback([arguments] { run_eval(*arguments); });
}

}  // namespace prismvid::cli

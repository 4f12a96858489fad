#include <iostream>
#include <memory>

#include "cli/command.h"
#include "cli/deep_options.h"
#include "deep/picture.h"
#include "document/json.h"
#include "media/still_picture.h"

namespace prismvid::cli {
namespace {

struct DescribeArguments {
  DeepArguments deep_options;
  CommonOptions common;
  std::filesystem::path image;
  std::string target;
};

document::Json box_json(const deep::Located& found) {
  document::Json corners = document::Json::array();
  for (const float value : {found.box.x0, found.box.y0, found.box.x1, found.box.y1})
    corners.push_back(document::rounded(value, 5));
  return {{"box", corners}, {"label", found.label}};
}

void print_boxes(const std::vector<deep::Located>& boxes, bool as_json) {
  if (as_json) {
    document::Json list = document::Json::array();
    for (const deep::Located& found : boxes) list.push_back(box_json(found));
    std::cout << document::to_text({{"boxes", list}}) << '\n';
    return;
  }
  if (boxes.empty()) std::cout << "not there\n";
  for (const deep::Located& found : boxes) {
    const document::Json box = box_json(found);
    std::cout << found.label << ": " << document::to_text(box["box"]) << '\n';
  }
}

void run_describe(const DescribeArguments& arguments) {
  const std::stop_token stop = interrupted();  // before MLX starts its threads
  const Image picture = media::read_picture(arguments.image);
  deep::InstalledModels models;
  const auto model = models.open(models.choose(arguments.deep_options.model));
  if (!arguments.target.empty())
    return print_boxes(deep::locate(picture, arguments.target, *model, stop),
                       arguments.common.json());
  const deep::Description description =
      deep::describe_keyframe(picture, *model, {arguments.deep_options.language, "none", stop});
  if (arguments.common.json())
    std::cout << document::to_text({{"title", description.title},
                                    {"description", description.text},
                                    {"by", description.by}})
              << '\n';
  else
    std::cout << description.title << '\n' << description.text << '\n';
}

}  // namespace

void add_describe_command(CLI::App& app) {
  auto arguments = std::make_shared<DescribeArguments>();
  CLI::App* command =
      app.add_subcommand("describe", "Say what a picture shows, or where something is in it");
  command->add_option("image", arguments->image, "JPEG or PNG file")
      ->required()
      ->type_name("IMAGE");
  command->add_option("--locate", arguments->target,
                      "Give boxes of this instead, for example \"the red cup\" or everything");
  add_deep_options(*command, arguments->deep_options);
  add_format_option(*command, arguments->common);
  command->callback([arguments] { run_describe(*arguments); });
}

}  // namespace prismvid::cli

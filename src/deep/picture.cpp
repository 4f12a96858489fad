#include "deep/picture.h"

#include "core/error.h"
#include "deep/facts.h"
#include "deep/language.h"
#include "deep/replies.h"

namespace prismvid::deep {

Description describe_keyframe(const Image& picture, Model& model, const DescribeOptions& options) {
  Request request = request_of(
      prompt("image"), {{"language", language_name(options.language)}, {"facts", options.facts}});
  request.pictures.push_back(std::make_shared<const Image>(picture));
  const Checked reply = ask_checked(model, request, options.stop);
  check(reply.problem.empty(), ErrorCode::kModel, model.card().id,
        " gave no description that could be read: ", reply.problem);
  return {one_line(reply.value.at("title").get<std::string>()),
          one_line(reply.value.at("description").get<std::string>()),
          made_by("describe", "vlm", model, prompt("image")), reply.tokens_in, reply.tokens_out};
}

std::vector<Located> locate(const Image& picture, const std::string& target, Model& model,
                            std::stop_token stop) {
  Request request = request_of(prompt("locate"), {{"target", one_line(target)}});
  request.pictures.push_back(std::make_shared<const Image>(picture));
  const Checked reply = ask_checked(model, request, stop);
  check(reply.problem.empty(), ErrorCode::kModel, model.card().id,
        " gave no boxes that could be read: ", reply.problem);
  std::vector<Located> found;
  for (const auto& item : reply.value) {
    const auto& corners = item.at("bbox_2d");
    const auto at = [&](size_t i) { return corners[i].get<float>() / 1000; };
    const Box box{at(0), at(1), at(2), at(3)};
    if (box.width() > 0 && box.height() > 0)
      found.push_back({box, one_line(item.at("label").get<std::string>())});
  }
  return found;
}

}  // namespace prismvid::deep

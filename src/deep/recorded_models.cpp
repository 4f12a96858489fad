#include "deep/recorded_models.h"

#include <cstdio>
#include <fstream>

#include "core/error.h"
#include "deep/forwarding_model.h"
#include "document/json.h"

namespace prismvid::deep {
namespace {

namespace fs = std::filesystem;
using document::Json;

Json size_json(const Image& picture) {
  return {picture.width(), picture.height()};
}

void write_pictures(std::ofstream& out, const std::vector<std::shared_ptr<const Image>>& pictures) {
  for (const auto& picture : pictures)
    out.write(reinterpret_cast<const char*>(picture->data()),
              static_cast<std::streamsize>(picture->bytes().size()));
}

class RecordedModel : public ForwardingModel {
 public:
  RecordedModel(std::shared_ptr<Model> model, fs::path folder, std::shared_ptr<int> requests)
      : ForwardingModel(*model),
        kept_(std::move(model)),
        folder_(std::move(folder)),
        requests_(std::move(requests)) {}

  void ask(std::span<const Request> requests, const std::function<void(size_t, Reply)>& take,
           std::stop_token stop) override {
    model_.ask(
        requests,
        [&](size_t i, Reply reply) {
          write(requests[i], reply);
          take(i, std::move(reply));
        },
        stop);
  }

 private:
  void write(const Request& asked, const Reply& reply) {
    const Request request = asked.looked();
    char name[16];
    std::snprintf(name, sizeof name, "%06d", ++*requests_);
    Json json = {{"prompt", request.prompt},
                 {"times_us", Json::array()},
                 {"frames", Json::array()},
                 {"pictures", Json::array()},
                 {"max_tokens", request.max_tokens},
                 {"temperature", request.temperature},
                 {"seed", request.seed},
                 {"reply", reply.text},
                 {"ended", reply.ended},
                 {"tokens_in", reply.tokens_in},
                 {"tokens_out", reply.tokens_out}};
    std::ofstream pixels(folder_ / (std::string(name) + ".rgb"), std::ios::binary);
    if (request.clip) {
      json["times_us"] = request.clip->times_us;
      for (const auto& frame : request.clip->frames) json["frames"].push_back(size_json(*frame));
      write_pictures(pixels, request.clip->frames);
    }
    for (const auto& picture : request.pictures) json["pictures"].push_back(size_json(*picture));
    write_pictures(pixels, request.pictures);
    std::ofstream words(folder_ / (std::string(name) + ".json"), std::ios::binary);
    words << document::to_text(json, 1) << '\n';
    pixels.close();
    words.close();
    check(pixels.good() && words.good(), ErrorCode::kUnreadable, "cannot write into '",
          folder_.string(), "'");
  }

  std::shared_ptr<Model> kept_;
  fs::path folder_;
  std::shared_ptr<int> requests_;
};

}  // namespace

RecordedModels::RecordedModels(ModelProvider& models, fs::path folder)
    : models_(models), folder_(std::move(folder)) {
  std::error_code problem;
  fs::create_directories(folder_, problem);
  check(!problem, ErrorCode::kUnreadable, "cannot make the folder '", folder_.string(),
        "': ", problem.message());
  check(fs::is_empty(folder_), ErrorCode::kInvalidArgument, "'", folder_.string(),
        "' is not empty: name a new folder for the requests");
}

std::shared_ptr<Model> RecordedModels::open(const ModelChoice& choice) {
  return std::make_shared<RecordedModel>(models_.open(choice), folder_, requests_);
}

}  // namespace prismvid::deep

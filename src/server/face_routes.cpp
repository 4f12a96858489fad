#include <mutex>

#include "document/build.h"
#include "document/json.h"
#include "media/still_picture.h"
#include "pipeline/face_recognition.h"
#include "server/service.h"
#include "server/watched_call.h"

// Faces of the whole library: who is in a picture, and forgetting everybody.
namespace prismvid::server {
namespace {

using document::Json;

constexpr int64_t kMaxPictureBytes = 32 << 20;
constexpr int kBoxDecimals = 5;
constexpr int kScoreDecimals = 3;

Json face_json(const pipeline::RecognisedFace& face, store::Store& store) {
  const auto score = [](float value) { return document::rounded(value, kScoreDecimals); };
  const auto side = [](float value) { return document::rounded(value, kBoxDecimals); };
  Json json = {{"box", {side(face.box.x0), side(face.box.y0), side(face.box.x1), side(face.box.y1)}}, {"confidence", score(face.score)}, {"person", Json()}, {"name", Json()}, {"match", Json()}};
  if (face.person_id.empty()) return json;
  json["person"] = face.person_id;
  if (const auto person = store.find_person(face.person_id); person && !person->name.empty()) json["name"] = person->name;
  if (face.match) json["match"] = {{"score", score(face.match->score)}, {"threshold", score(face.match->threshold)}};
  return json;
}

/// The face models, loaded with the first picture.
class Recogniser {
 public:
  explicit Recogniser(Context& context) : context_(context) {}

  Json recognise(const std::string& bytes) {
    const Image picture = media::decode_picture({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "the body");
    const std::lock_guard lock(turn_);
    if (!recognition_) recognition_ = std::make_unique<pipeline::FaceRecognition>(context_.models);
    const auto store = context_.stores.borrow();
    Json faces = Json::array();
    for (const auto& face : recognition_->recognise(picture, *store)) faces.push_back(face_json(face, *store));
    return {{"width", picture.width()}, {"height", picture.height()}, {"faces", faces}};
  }

 private:
  Context& context_;
  std::mutex turn_;
  std::unique_ptr<pipeline::FaceRecognition> recognition_;
};

std::string without_everybody(const std::string& text) {
  document::Document document = document::parse_document(text);
  if (document.people.empty()) return text;
  while (!document.people.empty()) {
    const std::string id = document.people.front().id;
    document = document::without_person(std::move(document), id);
  }
  return document::to_text(document::to_json(document));
}

Response forget_everybody(Context& context) {
  const store::Removed removed = context.stores.borrow()->forget_everybody(without_everybody);
  return json_response({{"removed",
                         {{"people", removed.people},
                          {"face_tracks", removed.face_tracks},
                          {"vectors", removed.vectors},
                          {"pictures", removed.pictures},
                          {"edits", removed.edits},
                          {"documents_rewritten", removed.documents}}},
                        {"wiped", removed.wiped}});
}

}  // namespace

void add_face_routes(Router& router, Context& context) {
  const auto recogniser = std::make_shared<Recogniser>(context);
  router.add({"POST", "/v1/people/recognize", Scope::kRead, "Who of the library is in a picture (its bytes are the body); nothing is kept",
              [recogniser](Request& request) {
                return json_response(run_watched(request, [&](const std::stop_token&) { return recogniser->recognise(request.body); }));
              },
              kMaxPictureBytes, {}, "Bytes"});
  router.add({"DELETE", "/v1/people", Scope::kAdmin, "Deletes all people and everything that faces have left", [&](Request&) { return forget_everybody(context); }});
}

}  // namespace prismvid::server

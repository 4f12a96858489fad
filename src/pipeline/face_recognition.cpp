#include "pipeline/face_recognition.h"

#include "pipeline/identities.h"
#include "vision/faces/face_quality.h"

namespace prismvid::pipeline {

FaceRecognition::FaceRecognition(const vision::ModelRegistry& models)
    : model_(models.require("face_embedding")),
      detector_(vision::make_face_detector(models, {})),
      embedder_(vision::make_face_embedder(models, {})) {}

std::vector<RecognisedFace> FaceRecognition::recognise(ImageView picture, store::Store& store) {
  std::vector<RecognisedFace> faces;
  std::vector<vision::UnknownFace> unknown;
  for (const vision::DetectedFace& face : detector_->detect(picture)) {
    const auto width = static_cast<float>(picture.width), height = static_cast<float>(picture.height);
    faces.push_back({clipped({face.box.x0 / width, face.box.y0 / height, face.box.x1 / width, face.box.y1 / height}), face.score, "", std::nullopt});
    const vision::AlignedFace aligned = embedder_->align(picture, face);
    const vision::FaceQuality quality = vision::assess_face(face, aligned);
    std::vector<float> vector;
    if (quality.recognisable()) vector = embedder_->embed(aligned.chip);
    if (!vision::normalise(vector)) vector.clear();
    unknown.push_back({std::move(vector), quality.overall()});
  }
  const KnownPeople known = known_people(store, model_.id);
  const auto first_new = static_cast<vision::PersonId>(known.ids.size());
  vision::IdentityOptions options;
  options.threshold = vision::same_person_cosine(model_);
  const auto decided = vision::assign_people(known.people, unknown, first_new, options);
  for (size_t i = 0; i < faces.size(); ++i) {
    if (!decided[i].person || *decided[i].person >= first_new) continue;
    faces[i].person_id = known.ids[static_cast<size_t>(*decided[i].person)];
    faces[i].match = decided[i].match;
  }
  return faces;
}

}  // namespace prismvid::pipeline

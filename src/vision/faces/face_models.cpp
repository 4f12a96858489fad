#include "core/error.h"
#include "vision/faces/dlib_detector.h"
#include "vision/faces/dlib_embedder.h"
#include "vision/faces/face_analyzer.h"
#include "vision/faces/sface_embedder.h"
#include "vision/faces/yunet_detector.h"
#include "vision/models/manifest_fields.h"

namespace prismvid::vision {
namespace {

ModelManifest detector_model(const ModelRegistry& models, const FaceOptions& options) {
  return models.require("face_detection", options.detector);
}

std::string detector_kind(const ModelManifest& model) {
  return ManifestFields(model).choice("decoder", {"dlib_mmod", "yunet"});
}

}  // namespace

std::unique_ptr<FaceDetector> make_face_detector(const ModelRegistry& models,
                                                 const FaceOptions& options) {
  const ModelManifest model = detector_model(models, options);
  if (detector_kind(model) == "yunet") {
    YunetOptions yunet;
    yunet.longest_side = options.longest_side;
    return std::make_unique<YunetDetector>(model, yunet, options.network);
  }
  DlibDetectorOptions dlib;
  dlib.longest_side = options.longest_side;
  dlib.network = options.network;
  return std::make_unique<DlibFaceDetector>(model, dlib);
}

std::unique_ptr<FaceEmbedder> make_face_embedder(const ModelRegistry& models,
                                                 const FaceOptions& options) {
  const ModelManifest model = models.require("face_embedding", options.embedder);
  if (ManifestFields(model).choice("decoder", {"dlib_resnet", "sface"}) == "sface") {
    check(detector_kind(detector_model(models, options)) == "yunet", ErrorCode::kModel, "model '",
          model.id, "' (SFace) needs a face detector that gives five landmarks: use YuNet with it");
    return std::make_unique<SfaceEmbedder>(model, options.network.threads);
  }
  return std::make_unique<DlibFaceEmbedder>(model, models.require("face_landmarks"),
                                            options.network.threads);
}

float same_person_cosine(const ModelManifest& embedder) {
  const ManifestFields fields(embedder);
  const bool sface = fields.choice("decoder", {"dlib_resnet", "sface"}) == "sface";
  return fields.number("same_person_cosine", sface ? SfaceEmbedder::kSamePersonCosine : DlibFaceEmbedder::kSamePersonCosine,
                       -1, 1);
}

}  // namespace prismvid::vision

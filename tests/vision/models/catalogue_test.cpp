#include "vision/models/catalogue.h"

#include <gtest/gtest.h>

#include <set>

#include "vision/objects/detector_settings.h"

namespace prismvid::vision {
namespace {

TEST(Catalogue, EveryModelHasALicenceAndAnAddress) {
  std::set<std::string> ids;
  for (const ModelManifest& model : model_catalogue()) {
    EXPECT_TRUE(ids.insert(model.id).second) << model.id;
    EXPECT_FALSE(model.licence.empty());
    for (const ModelFile& file : model.files)
      EXPECT_TRUE(file.url.starts_with("https://")) << model.id;
  }
  EXPECT_GE(ids.size(), 5u);
}

TEST(Catalogue, EveryDetectorHasValidSettings) {
  for (const ModelManifest& model : model_catalogue())
    if (model.task == "object_detection") {
      EXPECT_EQ(parse_detector_settings(model).classes.size(), 80u) << model.id;
    }
}

TEST(Catalogue, FindsById) {
  EXPECT_EQ(find_in_catalogue("yolox-tiny")->files[0].name, "yolox_tiny.onnx");
  EXPECT_FALSE(find_in_catalogue("yolox"));
}

}  // namespace
}  // namespace prismvid::vision

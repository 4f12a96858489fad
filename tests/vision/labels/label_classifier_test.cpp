#include "vision/labels/label_classifier.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/error.h"
#include "golden_pictures.h"

namespace prismvid::vision {
namespace {

using ::testing::HasSubstr;

ModelManifest installed() {
  return ModelRegistry::standard().require("image_labels");
}

TEST(LabelClassifier, GivesTheProbabilitiesOfTheReference) {
  LabelClassifier classifier(installed());
  const nlohmann::json expected_of = goldens();
  for (const auto& [name, golden] : expected_of.items()) {
    const auto expected = golden["probabilities"].get<std::vector<float>>();
    const auto actual = classifier.probabilities(read_ppm(name));
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
      ASSERT_NEAR(actual[i], expected[i], 1e-4f) << name << ", class " << classifier.classes()[i];
  }
}

TEST(LabelClassifier, NamesWhatThePicturesShow) {
  LabelClassifier classifier(installed());
  EXPECT_EQ(classifier.classify(read_ppm("coffee.ppm")).front().name, "espresso");
  const auto cat = classifier.classify(read_ppm("chelsea.ppm"));
  EXPECT_THAT(cat.front().name, ::testing::AnyOf("tabby cat", "Egyptian Mau", "tiger cat"));
  for (size_t i = 1; i < cat.size(); ++i) EXPECT_GE(cat[i - 1].confidence, cat[i].confidence);
  EXPECT_GE(cat.back().confidence, LabelClassifier::kLeastConfidence);
}

TEST(LabelClassifier, TakesExtremeShapes) {
  LabelClassifier classifier(installed());
  for (const Size size : {Size{1, 1}, Size{1920, 2}, Size{3, 1080}})
    EXPECT_NO_THROW(classifier.classify(Image(size.width, size.height, 3)));
  EXPECT_THROW(classifier.classify(ImageView{}), Error);
}

TEST(LabelClassifier, RefusesAManifestThatDoesNotFitTheFile) {
  ModelManifest manifest = installed();
  nlohmann::json changed = *manifest.parameters;
  changed["classes"] = {"one", "two"};
  manifest.parameters = std::make_shared<const nlohmann::json>(changed);
  LabelClassifier classifier(manifest);
  EXPECT_THROW(classifier.classify(read_ppm("coffee.ppm")), Error);
  changed["input"]["width"] = 192;
  manifest.parameters = std::make_shared<const nlohmann::json>(changed);
  EXPECT_THROW(LabelClassifier{manifest}, Error);
}

TEST(LabelTexts, NameTheCommandThatMends) {
  EXPECT_THAT(no_label_model_text(), HasSubstr("make setup"));
  EXPECT_THAT(no_scene_class_model_text(), HasSubstr("prismvid models install"));
}

}  // namespace
}  // namespace prismvid::vision

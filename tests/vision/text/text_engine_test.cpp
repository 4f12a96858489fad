#include "vision/text/text_engine.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/jpeg.h"

// The golden texts are rapidocr's own on the same pictures (tools/make_text_golden.py).
namespace prismvid::vision {
namespace {

using nlohmann::json;

std::filesystem::path golden_folder() {
  return PRISMVID_TEXT_GOLDEN;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Image load_picture(const std::string& name) {
  const std::string bytes = read_file(golden_folder() / name);
  return decode_jpeg({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
}

Quad quad_of(const json& corners) {
  Quad quad;
  for (size_t i = 0; i < 4; ++i) quad[i] = {corners.at(i).at(0), corners.at(i).at(1)};
  return quad;
}

class TextEngineTest : public testing::TestWithParam<const char*> {
 protected:
  static TextEngine& engine() {
    static const auto instance =
        make_text_engine(ModelRegistry::standard(), {Precision::kExact, 2, 1280});
    return *instance;
  }
  static json golden_lines() {
    return json::parse(read_file(golden_folder() / "rapidocr.json")).at(GetParam());
  }
};

TEST_P(TextEngineTest, RecognizesTheSameTextInTheSameLinesAsRapidocr) {
  const Image picture = load_picture(GetParam());
  std::vector<Quad> quads;
  std::vector<std::string> expected;
  for (const json& line : golden_lines()) {
    quads.push_back(quad_of(line.at("quad")));
    expected.push_back(line.at("text"));
  }
  const auto results = engine().recognize(picture, quads);
  ASSERT_EQ(results.size(), expected.size());
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].text, expected[i]);
    EXPECT_GT(results[i].confidence, 0.8f) << expected[i];
  }
}

TEST_P(TextEngineTest, FindsTheSameLinesAsRapidocr) {
  const std::vector<TextLine> lines = engine().read(load_picture(GetParam()));
  const json expected = golden_lines();
  EXPECT_EQ(lines.size(), expected.size());
  for (const json& line : expected) {
    const Box box = bounding_box(quad_of(line.at("quad")));
    float best = 0;
    std::string text;
    for (const TextLine& found : lines) {
      const float overlap = intersection_over_union(bounding_box(found.quad), box);
      if (overlap > best) text = found.text;
      best = std::max(best, overlap);
    }
    EXPECT_GT(best, 0.8f) << line.at("text");
    EXPECT_EQ(text, line.at("text"));
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, TextEngineTest, testing::Values("subtitles.jpg", "turned.jpg"));

TEST_F(TextEngineTest, FindsNoTextInAFlatPicture) {
  EXPECT_TRUE(engine().read(Image(640, 360, 3)).empty());
}

TEST_F(TextEngineTest, TakesPicturesTooSmallToHoldText) {
  EXPECT_TRUE(engine().read(Image(1, 1, 3)).empty());
  EXPECT_TRUE(engine().read(Image(1000, 2, 3)).empty());
}

TEST_F(TextEngineTest, SaysWhichModelIsMissing) {
  try {
    make_text_engine(ModelRegistry({"/nowhere"}));
    FAIL() << "an engine was made without models";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModel);
    EXPECT_THAT(error.what(), testing::HasSubstr("text_detection"));
  }
}

}  // namespace
}  // namespace prismvid::vision

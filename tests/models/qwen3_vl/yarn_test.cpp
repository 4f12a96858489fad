#include <gtest/gtest.h>

#include "core/error.h"
#include "models/qwen3_vl/positions.h"
#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::qwen3_vl {
namespace {

nlohmann::json released(nlohmann::json rope) {
  auto file = *read_json(kGolden / "models" / "dense_untied" / "config.json");
  auto& text = file["text_config"];
  text["head_dim"] = 128;
  text["max_position_embeddings"] = 1'000'000;
  text.erase("rope_parameters");
  text["rope_theta"] = 5e6;
  rope["mrope_section"] = {24, 20, 20};
  rope["mrope_interleaved"] = true;
  text["rope_scaling"] = rope;
  return file;
}

// The settings of Qwen3-VL's README for a million tokens; numbers of transformers 5.23's
// _compute_yarn_parameters().
TEST(Yarn, StretchesTheFrequenciesAsTheReference) {
  const TextConfig text = parse_config(released({{"rope_type", "yarn"},
                                                 {"factor", 3.0},
                                                 {"original_max_position_embeddings", 262144},
                                                 {"attention_factor", nullptr}}))
                              .text;
  const auto frequencies = text_frequencies(text);
  for (const auto& [index, expected] : {std::pair{0, 1.0f},
                                        {20, 0.00806439668f},
                                        {28, 0.00117273699f},
                                        {32, 0.000391311885f},
                                        {36, 0.000120800032f},
                                        {40, 3.52270145e-05f},
                                        {44, 9.30013812e-06f},
                                        {50, 1.94674203e-06f},
                                        {63, 8.48359889e-08f}})
    EXPECT_NEAR(frequencies[index] / expected, 1, 1e-5) << index;
  EXPECT_NEAR(text.yarn->attention_factor, 1.109861228866811, 1e-12);
}

TEST(Yarn, TextAloneIsTurnedAsTextBesidePictures) {
  TextConfig text = parse_config(released({{"type", "yarn"}, {"factor", 4}})).text;
  const auto frequencies = text_frequencies(text);
  std::vector<float> periods;
  for (const float f : frequencies) periods.push_back(1 / f);
  const auto length = static_cast<float>(text.yarn->attention_factor);
  EXPECT_GT(length, 1.1f);
  const mx::array x = mx::random::normal({1, 2, 9, 128});
  const mx::array one = nn::rotate_consecutive(x, mx::array(periods.begin(), {64}), 5, length);
  const mx::array other = nn::rotate(x, text_rotation(make_positions(14, {}), 5, 9, text));
  EXPECT_LT(relative_error(one, other), 1e-5f);
}

TEST(Yarn, RefusesWhatCannotBe) {
  EXPECT_THROW(parse_config(released({{"rope_type", "yarn"}})), Error);
  EXPECT_THROW(parse_config(released({{"rope_type", "yarn"}, {"factor", 0.5}})), Error);
  EXPECT_THROW(parse_config(released({{"rope_type", "yarn"}, {"factor", 2}, {"beta_fast", 0.5}})),
               Error);
  EXPECT_THROW(parse_config(released({{"rope_type", "dynamic"}, {"factor", 2}})), Error);
}

}  // namespace
}  // namespace prismvid::qwen3_vl

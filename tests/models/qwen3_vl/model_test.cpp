#include "models/qwen3_vl/model.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "models/qwen3_vl/tiny_model.h"

namespace prismvid::qwen3_vl {
namespace {

constexpr float kTolerance = 1e-4f;
constexpr int kSteps = 64;

class ModelGolden : public testing::TestWithParam<std::string> {
 protected:
  const Model& model() { return tiny_model(GetParam()); }
  const mx::array& golden(const std::string& name) { return goldens(GetParam()).at(name); }
};

INSTANTIATE_TEST_SUITE_P(Kinds, ModelGolden, testing::Values("dense_tied", "dense_untied", "moe"),
                         [](const auto& kind) { return kind.param; });

TEST_P(ModelGolden, PromptsHaveTheReferencesTokensAndPositions) {
  for (const Case& one : golden_cases(model())) {
    EXPECT_EQ(one.prompt.ids, to_ints(golden(one.name + ".ids"))) << one.name;
    if (!goldens(GetParam()).contains(one.name + ".positions")) continue;
    const auto expected = to_ints(golden(one.name + ".positions"));
    const Positions positions =
        make_positions(static_cast<int>(one.prompt.ids.size()), one.prompt.spans);
    for (size_t i = 0; i < one.prompt.ids.size(); ++i)
      for (int axis = 0; axis < 3; ++axis)
        ASSERT_EQ(positions.of_token[i][axis], expected[axis * one.prompt.ids.size() + i])
            << one.name << " " << i;
  }
}

TEST_P(ModelGolden, EveryStageIsCloseToTheReference) {
  for (const Case& one : golden_cases(model())) {
    if (one.name != "image" && one.name != "image_and_video") continue;
    std::map<std::string, mx::array> stages;
    const Trace trace = [&](const std::string& stage, const mx::array& value) {
      stages.emplace(stage, value);
    };
    const auto features = encode_all(model(), one, trace);
    Sequence sequence = model().begin(one.prompt);
    model().prefill(sequence, one.prompt, features, static_cast<int>(one.prompt.ids.size()), trace);
    std::vector<std::pair<std::string, std::string>> names;
    for (const char* stage : {"patch_embed", "positioned", "block_0", "merger"})
      names.emplace_back(stage, stage);
    for (size_t i = 0; i < model().config().vision.deepstack_indexes.size(); ++i)
      names.emplace_back("deepstack_" + std::to_string(i), "deepstack_" + std::to_string(i));
    for (int i = 0; i < 4; ++i)
      names.emplace_back("layer_" + std::to_string(i), "decoder_" + std::to_string(i));
    for (const auto& [stage, expected] : names) {
      const float error = relative_error(stages.at(stage), golden(one.name + ".stage." + expected));
      EXPECT_LT(error, kTolerance) << stage;
      RecordProperty(one.name + "_" + expected, scientific(error));
    }
  }
}

TEST_P(ModelGolden, LogitsAreCloseToTheReference) {
  for (const Case& one : golden_cases(model())) {
    Sequence sequence = model().begin(one.prompt);
    const mx::array logits =
        prefill_logits(model(), sequence, one, encode_all(model(), one), 1 << 20, 4);
    const float error = relative_error(logits, golden(one.name + ".logits"));
    EXPECT_LT(error, kTolerance) << one.name;
    RecordProperty(one.name, scientific(error));
  }
}

TEST_P(ModelGolden, GreedyTokensEqualTheReference) {
  for (const Case& one : golden_cases(model()))
    EXPECT_EQ(greedy_tokens(model(), one, 1 << 20, kSteps), to_ints(golden(one.name + ".greedy")))
        << one.name;
}

TEST_P(ModelGolden, ChunkedPrefillEqualsOneShot) {
  for (const Case& one : golden_cases(model())) {
    if (one.media.empty()) continue;
    const auto features = encode_all(model(), one);
    Sequence whole = model().begin(one.prompt);
    const mx::array expected = prefill_logits(model(), whole, one, features, 1 << 20, 1);
    for (const int chunk : {1, 7, 64, 512}) {
      Sequence sequence = model().begin(one.prompt);
      EXPECT_LT(
          relative_error(prefill_logits(model(), sequence, one, features, chunk, 1), expected),
          kTolerance)
          << one.name << " in chunks of " << chunk;
    }
  }
}

// The picture stands across token 512, so that chunks of 512 end inside it too.
TEST_P(ModelGolden, AChunkOf512EndsInsideAPicture) {
  Case one = golden_cases(model())[1];
  VisualSpan& picture = one.prompt.spans.at(0);
  const int filler = 512 - picture.tokens() / 2 - picture.start;
  one.prompt.ids.insert(one.prompt.ids.begin() + 1, filler, one.prompt.ids.back());
  picture.start += filler;
  ASSERT_LT(picture.start, 512);
  ASSERT_GT(picture.end(), 512);
  const auto features = encode_all(model(), one);
  Sequence whole = model().begin(one.prompt);
  const mx::array expected = prefill_logits(model(), whole, one, features, 1 << 20, 4);
  for (const int chunk : {512, 64, 7}) {
    Sequence sequence = model().begin(one.prompt);
    EXPECT_LT(relative_error(prefill_logits(model(), sequence, one, features, chunk, 4), expected),
              kTolerance)
        << "in chunks of " << chunk;
  }
}

// Three sequences of different lengths, one of them joining later and one leaving early.
TEST_P(ModelGolden, SequencesThatStepTogetherAreAsEachAlone) {
  const std::vector<Case> cases = golden_cases(model());
  std::vector<Sequence> together, alone;
  std::vector<std::vector<int>> tokens;
  for (const Case& one : cases) {
    const auto features = encode_all(model(), one);
    for (auto* list : {&together, &alone}) {
      list->push_back(model().begin(one.prompt));
      const mx::array logits = prefill_logits(model(), list->back(), one, features, 64, 1);
      if (list == &alone) tokens.push_back({mx::argmax(mx::flatten(logits)).item<int>()});
    }
  }
  for (int step = 0; step < 24; ++step) {
    std::vector<Sequence*> running;
    std::vector<std::vector<int>> ids;
    std::vector<int> members;
    for (int i = 0; i < static_cast<int>(cases.size()); ++i) {
      if ((i == 0 && step < 5) || (i == 1 && step > 15)) continue;
      members.push_back(i);
      running.push_back(&together[i]);
      ids.push_back({tokens[i].back()});
    }
    const mx::array logits = model().logits(model().step(running, ids));
    for (size_t row = 0; row < members.size(); ++row) {
      const int i = members[row], at = static_cast<int>(row);
      const mx::array mine = mx::slice(logits, {0, at, 0}, {1, at + 1, logits.shape(2)});
      const mx::array expected = model().logits(model().step(alone[i], ids[row][0]));
      ASSERT_LT(relative_error(mine, expected), 1e-5f) << cases[i].name << " step " << step;
      tokens[i].push_back(mx::argmax(mx::flatten(expected)).item<int>());
      ASSERT_EQ(mx::argmax(mx::flatten(mine)).item<int>(), tokens[i].back());
    }
  }
}

TEST(Model, PositionsFollowTheWorkedExample) {
  const Positions positions = make_positions(11, {{3, 2, 3}});
  const std::vector<std::array<int, 3>> expected{{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {3, 3, 3},
                                                 {3, 3, 4}, {3, 3, 5}, {3, 4, 3}, {3, 4, 4},
                                                 {3, 4, 5}, {6, 6, 6}, {7, 7, 7}};
  EXPECT_EQ(positions.of_token, expected);
  EXPECT_EQ(positions.delta(), -3);
}

TEST(Model, RefusesFeaturesThatDoNotMatchThePlaces) {
  const Model& model = tiny_model("dense_tied");
  const Case one = golden_cases(model)[1];
  Sequence sequence = model.begin(one.prompt);
  EXPECT_THROW(model.prefill(sequence, one.prompt, std::nullopt, 4), Error);
}

TEST(Model, RefusesTokensOutsideItsVocabulary) {
  EXPECT_THROW(tiny_model("dense_tied").begin({{1, 2, 99999}, {}}), Error);
}

}  // namespace
}  // namespace prismvid::qwen3_vl

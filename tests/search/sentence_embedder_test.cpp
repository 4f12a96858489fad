#include "search/sentence_embedder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "search/sentence_search.h"
#include "store/open_store.h"
#include "support/synthetic_clip.h"

// With the model that set-up prepares; the goldens are made by tools/make_sentence_golden.py.
namespace prismvid::search {
namespace {

vision::ModelManifest model() {
  return vision::ModelRegistry::standard().require("sentence_embedding");
}

nlohmann::json goldens() {
  std::ifstream file(PRISMVID_GOLDEN "/sentences/sentences.json");
  return nlohmann::json::parse(file);
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

TEST(Sentences, TokensAreThoseOfTheTokenizersLibrary) {
  const WordPiece tokenizer(model().path(2));
  for (const auto& golden : goldens())
    EXPECT_EQ(tokenizer.encode(golden["text"].get<std::string>(), 256),
              golden["ids"].get<std::vector<int64_t>>())
        << golden["text"];
}

TEST(Sentences, VectorsAreThoseOfTheDefinition) {
  SentenceEmbedder exact(model(), 0, vision::Precision::kExact);
  SentenceEmbedder fast(model());
  for (const auto& golden : goldens()) {
    if (!golden.contains("vector")) continue;
    const auto expected = golden["vector"].get<std::vector<float>>();
    const std::string text = golden["text"];
    EXPECT_GT(cosine(exact.embed(text), expected), 0.99999) << text;
    EXPECT_GT(cosine(fast.embed(text), expected), 0.999) << text;
  }
}

TEST(Sentences, MomentsAreFoundByMeaningUntilTheyAreDeleted) {
  tests::TemporaryFolder folder;
  const auto store = store::open_store(folder.path() / "test.db");
  for (const char digit : {'a', 'b'}) {
    const std::string id(1, digit);
    store->put_video({"v_" + id, std::string(64, digit), "/v/" + id, 1, "{}", ""});
    store->put_document({"a_" + id, "v_" + id, "complete", "{}", ""});
  }
  const std::vector<store::MomentRecord> moments = {
      {"caption", "c_1", {0, 1}, "A man drives a car through the rain.", "man drive car rain", ""},
      {"caption", "c_2", {1, 2}, "Two children eat apples.", "two children eat appl", ""}};
  for (const auto& video : store->unindexed_videos()) store->put_moments(video, moments);
  SentenceSearch sentences(model());
  sentences.embed_new(*store);
  EXPECT_TRUE(store->unembedded_moments(SentenceEmbedder::space_of(model()), 10).empty());
  const auto found = [&] {
    return store->match_vectors(
        sentences.nearest(*store, "someone in an automobile in wet weather", 10), {}, 10);
  };
  ASSERT_EQ(found().size(), 2u);
  EXPECT_EQ(found()[0].of, "c_1");
  EXPECT_GT(found()[0].score, 0.3);
  store->delete_video("v_a");
  ASSERT_EQ(found().size(), 1u);
  EXPECT_EQ(found()[0].video_id, "v_b");
}

}  // namespace
}  // namespace prismvid::search

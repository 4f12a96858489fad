#include "core/error.h"
#include "store_fixture.h"

namespace prismvid::store {
namespace {

constexpr int64_t kSecond = 1'000'000;

MomentRecord moment(const std::string& kind, const std::string& of, int64_t start_s, int64_t end_s,
                    const std::string& terms) {
  return {kind, of, {start_s * kSecond, end_s * kSecond}, "The " + terms, terms, "k_1"};
}

class Search : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    store_ = open();
    for (char digit : {'a', 'b'}) {
      const VideoRecord video = store_->put_video(video_of(digit));
      store_->put_document({std::string("a_") + digit, video.id, "complete", "{}", ""});
    }
  }

  UnindexedVideo unindexed(const std::string& video_id) {
    for (const UnindexedVideo& video : store_->unindexed_videos())
      if (video.video_id == video_id) return video;
    return {};
  }

  std::vector<std::string> found(const std::vector<std::string>& phrase,
                                 const MomentFilter& filter = {}) {
    const std::vector<std::vector<std::string>> phrases{phrase};
    std::vector<std::string> ids;
    for (const FoundMoment& moment : store_->match_phrases(phrases, filter, 100))
      ids.push_back(moment.video_id.substr(0, 3) + " " + moment.of);
    return ids;
  }

  const std::string a_ = video_of('a').id;
  const std::string b_ = video_of('b').id;
  std::unique_ptr<Store> store_;
};

using Ids = std::vector<std::string>;

TEST_P(Search, AVideoIsUnindexedUntilItsMomentsArePut) {
  EXPECT_EQ(store_->unindexed_videos().size(), 2u);
  store_->put_moments(unindexed(a_), {});
  ASSERT_EQ(store_->unindexed_videos().size(), 1u);
  EXPECT_EQ(store_->unindexed_videos()[0].video_id, b_);
  EXPECT_EQ(store_->unindexed_videos()[0].analysis_id, "a_b");
  store_->put_document({"a_2", a_, "complete", "{2}", ""});
  EXPECT_EQ(store_->unindexed_videos().size(), 2u);
  EXPECT_EQ(unindexed(a_).analysis_id, "a_2");
}

TEST_P(Search, MomentsPutForAnOlderDocumentLeaveTheVideoUnindexed) {
  const UnindexedVideo older = unindexed(a_);
  store_->put_document({"a_2", a_, "complete", "{2}", ""});
  store_->put_moments(older, {});
  EXPECT_EQ(unindexed(a_).video_id, a_);
}

TEST_P(Search, FindsMomentsByWordsAndPhrases) {
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 2, "red cup on tabl"),
                                                 moment("caption", "c_2", 3, 4, "cup red")});
  EXPECT_EQ(found({"tabl"}), (Ids{"v_a c_1"}));
  EXPECT_EQ(found({"red", "cup"}), (Ids{"v_a c_1"}));
  EXPECT_EQ(found({"cup"}).size(), 2u);
  EXPECT_TRUE(found({"cu"}).empty());
  EXPECT_TRUE(found({}).empty());
  EXPECT_TRUE(found({"\" OR \"cup"}).empty());
}

TEST_P(Search, MoreOfTheWordsRankHigher) {
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 2, "green cup there"),
                                                 moment("caption", "c_2", 3, 4, "red cup there"),
                                                 moment("caption", "c_3", 5, 6, "blue pen there")});
  const std::vector<std::vector<std::string>> phrases{{"red"}, {"cup"}};
  const auto hits = store_->match_phrases(phrases, {}, 100);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].of, "c_2");
  EXPECT_GT(hits[0].score, hits[1].score);
  EXPECT_EQ(hits[0].range, (TimeRange{3 * kSecond, 4 * kSecond}));
  EXPECT_EQ(hits[0].text, "The red cup there");
  EXPECT_EQ(hits[0].keyframe, "k_1");
}

TEST_P(Search, InstancesOfOneElementAreOneHit) {
  store_->put_moments(unindexed(a_), std::vector{moment("object", "o_1", 3, 4, "cup"),
                                                 moment("object", "o_1", 1, 2, "cup"),
                                                 moment("object", "o_2", 6, 7, "cup")});
  const std::vector<std::vector<std::string>> phrases{{"cup"}};
  const auto hits = store_->match_phrases(phrases, {}, 100);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].times, 2);
  EXPECT_EQ(hits[0].range.start_us, 1 * kSecond);
  EXPECT_EQ(store_->match_phrases(phrases, {}, 1).size(), 1u);
}

TEST_P(Search, FiltersByVideoLabelAndDate) {
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 3, "red cup"),
                                                 moment("caption", "c_2", 5, 6, "red hat"),
                                                 moment("label", "kitchen", 0, 4, "kitchen")});
  store_->put_moments(unindexed(b_), std::vector{moment("caption", "c_1", 1, 2, "red sky")});
  EXPECT_EQ(found({"red"}).size(), 3u);
  EXPECT_EQ(found({"red"}, {.videos = {b_}}), (Ids{"v_b c_1"}));
  EXPECT_EQ(found({"red"}, {.labels = {"kitchen"}}), (Ids{"v_a c_1"}));
  EXPECT_TRUE(found({"red"}, {.labels = {"kitchen", "garden"}}).empty());
  EXPECT_EQ(found({"red"}, {.since = "2000-01-01T00:00:00Z"}).size(), 3u);
  EXPECT_TRUE(found({"red"}, {.since = "2999-01-01T00:00:00Z"}).empty());
  EXPECT_TRUE(found({"red"}, {.until = "2000-01-01T00:00:00Z"}).empty());
  const auto labels = store_->match_labels(Ids{"kitchen"}, {}, 10);
  ASSERT_EQ(labels.size(), 1u);
  EXPECT_EQ(labels[0].kind, "label");
}

TEST_P(Search, FindsPeopleByTheirFacesAndFiltersByThem) {
  store_->put_stage(stage_of(*store_->find_video(a_), stage::kFaces, '1'), {"{}", {}});
  std::vector<FaceTrack> tracks(2);
  tracks[0].range = {1 * kSecond, 2 * kSecond};
  tracks[1].range = {4 * kSecond, 7 * kSecond};
  const auto faces = store_->put_faces(a_, hash_of('1'), "space", tracks);
  const auto people =
      store_->assign_faces(std::vector<Assignment>{{faces[0].id, "", 1}, {faces[1].id, "", 1}});
  const std::string anna = people[0];
  store_->name_person(anna, "Anna");
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 3, "red cup"),
                                                 moment("caption", "c_2", 8, 9, "red hat")});
  EXPECT_EQ(found({"red"}, {.people = {anna}}), (Ids{"v_a c_1"}));
  const auto seen = store_->match_people(Ids{anna}, {}, 10);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].text, "Anna");
  EXPECT_EQ(seen[0].of, anna);
  EXPECT_EQ(seen[0].times, 2);
  EXPECT_EQ(seen[0].range, tracks[1].range);
  store_->hide_person(anna, true);
  EXPECT_TRUE(store_->match_people(Ids{anna}, {}, 10).empty());
  EXPECT_THROW(store_->match_people(Ids{"p_999"}, {}, 10), Error);
}

TEST_P(Search, PuttingAgainReplaces) {
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 2, "red cup")});
  store_->put_document({"a_2", a_, "complete", "{2}", ""});
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_9", 1, 2, "green cup")});
  EXPECT_TRUE(found({"red"}).empty());
  EXPECT_EQ(found({"cup"}), (Ids{"v_a c_9"}));
}

TEST_P(Search, ADeletedVideoIsFoundNoMore) {
  const UnindexedVideo gone = unindexed(a_);
  store_->put_moments(gone, std::vector{moment("caption", "c_1", 1, 2, "unmistakable cup")});
  store_->put_moments(unindexed(b_), std::vector{moment("caption", "c_1", 1, 2, "red cup")});
  store_->delete_video(a_);
  EXPECT_EQ(found({"cup"}), (Ids{"v_b c_1"}));
  store_->put_moments(gone, std::vector{moment("caption", "c_1", 1, 2, "unmistakable cup")});
  EXPECT_EQ(found({"cup"}), (Ids{"v_b c_1"}));
}

TEST_P(Search, ADeletedVideosWordsAreWipedFromDisk) {
  store_->put_moments(unindexed(a_),
                      std::vector{moment("caption", "c_1", 1, 2, "unmistakable cup")});
  store_->put_moments(unindexed(b_), std::vector{moment("caption", "c_1", 1, 2, "red cup")});
  EXPECT_TRUE(on_disk("unmistakable"));
  store_->delete_video(a_);
  EXPECT_FALSE(on_disk("unmistakable"));
  EXPECT_EQ(found({"cup"}), (Ids{"v_b c_1"}));
}

TEST_P(Search, AnEditOfAVideoMakesItUnindexedAndStillFound) {
  store_->put_moments(unindexed(a_), std::vector{moment("caption", "c_1", 1, 2, "red cup")});
  const std::string edit =
      store_->add_edit({"", a_, "set_caption", "c_1", "\"x\"", "local", "", ""});
  EXPECT_EQ(unindexed(a_).video_id, a_);
  EXPECT_EQ(found({"cup"}).size(), 1u);
  store_->put_moments(unindexed(a_), {});
  store_->undo(edit);
  EXPECT_EQ(unindexed(a_).video_id, a_);
}

INSTANTIATE_TEST_SUITE_P(Both, Search, kBoth, dialect_name);

}  // namespace
}  // namespace prismvid::store

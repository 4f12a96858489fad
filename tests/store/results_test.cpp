#include "core/error.h"
#include "store_fixture.h"

namespace prismvid::store {
namespace {

class Results : public StoreTest {};

TEST_P(Results, AVideoIsFoundByIdHashAndPath) {
  auto store = open();
  const VideoRecord stored = store->put_video(video_of('a'));
  EXPECT_FALSE(stored.added_at.empty());
  EXPECT_EQ(store->find_video(stored.id)->sha256, hash_of('a'));
  EXPECT_EQ(store->find_video(hash_of('a'))->id, stored.id);
  EXPECT_EQ(store->find_video_at("/videos/a.mp4")->id, stored.id);
  EXPECT_FALSE(store->find_video(hash_of('b')));
}

TEST_P(Results, AMovedVideoKeepsItsIdAndResults) {
  auto store = open();
  auto video = store->put_video(video_of('a'));
  store->put_stage(stage_of(video, stage::kShots, '1'), {"{}", {}});
  video.path = "/elsewhere/a.mp4";
  store->put_video(video);
  EXPECT_EQ(store->find_video(video.id)->path, "/elsewhere/a.mp4");
  EXPECT_TRUE(store->load_stage(hash_of('1')));
  EXPECT_EQ(store->videos().size(), 1u);
}

TEST_P(Results, AHashIsKnownOnlyWhileTheFileIsUnchanged) {
  auto store = open();
  const FileIdentity file{"/videos/a.mp4", 100, 42, 7};
  store->remember_file(file, hash_of('a'));
  EXPECT_EQ(store->known_hash(file), hash_of('a'));
  for (auto change : {0, 1, 2}) {
    FileIdentity other = file;
    (change == 0 ? other.size : change == 1 ? other.mtime_ns : other.size) += 1;
    if (change == 2) other.inode = 8;
    EXPECT_FALSE(store->known_hash(other)) << change;
  }
}

TEST_P(Results, AStageComesBackWithItsBlobsInANewConnection) {
  {
    auto store = open();
    store->put_stage(stage_of(store->put_video(video_of('a')), stage::kShots, '1'),
                     {R"({"x":1})", {{"keyframe_0.jpg", {0, 1, 255}}, {"empty", {}}}});
  }
  auto store = open();
  const auto output = store->load_stage(hash_of('1'));
  ASSERT_TRUE(output);
  EXPECT_EQ(output->json, R"({"x":1})");
  ASSERT_EQ(output->blobs.size(), 2u);
  EXPECT_EQ(*store->load_blob(hash_of('1'), "keyframe_0.jpg"), (std::vector<uint8_t>{0, 1, 255}));
  EXPECT_EQ(store->find_stage(hash_of('1'))->frames, 34);
  EXPECT_FALSE(store->load_blob(hash_of('1'), "keyframe_1.jpg"));
  EXPECT_FALSE(store->load_stage(hash_of('2')));
}

TEST_P(Results, AStageStoredAgainLosesItsOldBlobs) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  store->put_stage(stage_of(video, stage::kShots, '1'), {"{}", {{"old", {1}}}});
  store->put_stage(stage_of(video, stage::kShots, '1'), {"[]", {{"new", {2}}}});
  EXPECT_FALSE(store->load_blob(hash_of('1'), "old"));
  EXPECT_TRUE(store->load_blob(hash_of('1'), "new"));
  EXPECT_EQ(store->blob_names(hash_of('1')), std::vector<std::string>{"new"});
  EXPECT_EQ(store->load_stage_json(hash_of('1')), "[]");
}

TEST_P(Results, EarlyBlobsAreSeenOnlyWithTheirStage) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  store->put_early_blob(video.id, hash_of('1'), {"keyframe_0.jpg", {1}});
  store->put_early_blob(video.id, hash_of('2'), {"keyframe_0.jpg", {2}});
  EXPECT_FALSE(store->load_blob(hash_of('1'), "keyframe_0.jpg"));
  store->discard_early_blobs(hash_of('2'));
  store->put_stage(stage_of(video, stage::kShots, '1'), {"{}", {}});
  store->put_stage(stage_of(video, stage::kShots, '2'), {"{}", {}});
  EXPECT_TRUE(store->load_blob(hash_of('1'), "keyframe_0.jpg"));
  EXPECT_FALSE(store->load_blob(hash_of('2'), "keyframe_0.jpg"));
}

TEST_P(Results, EarlyBlobsOfAKilledRunGoWithTheirVideo) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  const auto other = store->put_video(video_of('b'));
  store->put_early_blob(video.id, hash_of('1'), {"thumb_0.jpg", {1}});
  store->put_early_blob(other.id, hash_of('2'), {"thumb_0.jpg", {2}});
  EXPECT_EQ(store->delete_video(video.id).pictures, 1);
  store->put_stage(stage_of(other, stage::kFaces, '1'), {"{}", {}});
  store->put_stage(stage_of(other, stage::kFaces, '2'), {"{}", {}});
  EXPECT_FALSE(store->load_blob(hash_of('1'), "thumb_0.jpg"));
  EXPECT_TRUE(store->load_blob(hash_of('2'), "thumb_0.jpg"));
}

TEST_P(Results, ForgettingEverybodyTakesEarlyPicturesOfFaces) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  store->put_early_blob(video.id, hash_of('1'), {"thumb_0.jpg", {1}});
  store->put_early_blob(video.id, hash_of('1'), {"keyframe_0.jpg", {2}});
  EXPECT_EQ(store->forget_everybody([](const std::string& json) { return json; }).pictures, 1);
  store->put_stage(stage_of(video, stage::kShots, '1'), {"{}", {}});
  EXPECT_FALSE(store->load_blob(hash_of('1'), "thumb_0.jpg"));
  EXPECT_TRUE(store->load_blob(hash_of('1'), "keyframe_0.jpg"));
}

TEST_P(Results, TheDocumentPutLastIsTheLatest) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  store->put_document({"a_1", video.id, "partial", "{1}", ""});
  store->put_document({"a_2", video.id, "complete", "{2}", ""});
  EXPECT_EQ(store->latest_document(video.id)->analysis_id, "a_2");
  store->put_document({"a_1", video.id, "complete", "{3}", ""});
  EXPECT_EQ(store->latest_document(video.id)->json, "{3}");
  EXPECT_EQ(store->find_document("a_2")->json, "{2}");
  EXPECT_FALSE(store->latest_document("v_none"));
}

TEST_P(Results, RunsKeepTheirHistory) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  store->start_run({"r_1", video.id, "", "{}", "", "", ""});
  store->start_run({"r_2", video.id, "", "{}", "", "", ""});
  store->finish_run("r_2", "failed", "no space");
  const auto runs = store->runs(video.id);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].status, "failed");
  EXPECT_EQ(runs[1].status, "running");
  EXPECT_THROW(store->finish_run("r_3", "complete", ""), Error);
}

TEST_P(Results, DeletingAVideoTakesEverythingAndSaysWhat) {
  auto store = open();
  const auto video = store->put_video(video_of('a'));
  const auto other = store->put_video(video_of('b'));
  store->remember_file({video.path, 1, 2, 3}, video.sha256);
  store->put_stage(stage_of(video, stage::kShots, '1'),
                   {"{}", {{"keyframe_0.jpg", bytes_of("secret picture of a")}}});
  store->put_stage(stage_of(other, stage::kShots, '2'), {"{}", {}});
  store->put_document({"a_1", video.id, "complete", "{}", ""});
  const Removed removed = store->delete_video(video.id);
  EXPECT_EQ(removed.stages, 1);
  EXPECT_EQ(removed.documents, 1);
  EXPECT_EQ(removed.pictures, 1);
  EXPECT_EQ(removed.wiped, !is_postgres());
  EXPECT_FALSE(store->find_video(video.id));
  EXPECT_FALSE(store->load_stage(hash_of('1')));
  EXPECT_FALSE(store->known_hash({video.path, 1, 2, 3}));
  EXPECT_TRUE(store->load_stage(hash_of('2')));
  EXPECT_FALSE(on_disk("secret picture of a"));
  EXPECT_THROW(store->delete_video(video.id), Error);
}

TEST(CacheKey, ChangesWithEveryInputAndNotWithTheOrderOfUpstream) {
  const CacheKeyInput base{hash_of('a'), {0, 10},        "ocr", "1",
                           hash_of('b'), "openvino-cpu", "{}",  {"x", "y"}};
  const std::string key = cache_key(base);
  EXPECT_EQ(key.size(), 64u);
  std::vector<CacheKeyInput> others(9, base);
  others[0].content_sha256 = hash_of('c');
  others[1].range.start_us = 1;
  others[2].range.end_us = 11;
  others[3].stage = "faces";
  others[4].stage_version = "2";
  others[5].model_sha256 = "";
  others[6].backend = "native";
  others[7].parameters = "{\"a\":1}";
  others[8].upstream = {"x"};
  for (const auto& other : others) EXPECT_NE(cache_key(other), key);
  CacheKeyInput turned = base;
  turned.upstream = {"y", "x"};
  EXPECT_EQ(cache_key(turned), key);
}

TEST(CacheKey, DoesNotRunFieldsTogether) {
  EXPECT_NE(cache_key({"", {}, "ab", "c", "", "", "", {}}),
            cache_key({"", {}, "a", "bc", "", "", "", {}}));
}

INSTANTIATE_TEST_SUITE_P(Both, Results, kBoth, dialect_name);

}  // namespace
}  // namespace prismvid::store

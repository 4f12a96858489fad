#include "search/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "search/document_moments.h"
#include "store/open_store.h"
#include "support/synthetic_clip.h"

namespace prismvid::search {
namespace {

constexpr int64_t kSecond = 1'000'000;

store::MomentRecord moment(const std::string& kind, const std::string& of, int64_t start_s,
                           int64_t end_s, const std::string& text) {
  return {kind, of, {start_s * kSecond, end_s * kSecond}, text, terms_of(text), "k_1"};
}

class SearchTest : public testing::Test {
 protected:
  void put(char digit, const std::vector<store::MomentRecord>& moments) {
    const std::string id(1, digit);
    store_->put_video({"v_" + id, std::string(64, digit), "/videos/" + id + ".mp4", 1, "{}", ""});
    store_->put_document({"a_" + id, "v_" + id, "complete", "{}", ""});
    for (const store::UnindexedVideo& video : store_->unindexed_videos())
      store_->put_moments(video, moments);
  }

  /// A face of a new person with this name in the video.
  std::string add_person(const std::string& video, const std::string& name, int64_t start_s,
                         int64_t end_s) {
    const std::string key(64, static_cast<char>('0' + ++stages_));
    store_->put_stage({key, video, stage::kFaces, "1", "m", "b", 0, 0, "{}", ""}, {"{}", {}});
    FaceTrack track;
    track.range = {start_s * kSecond, end_s * kSecond};
    const auto faces = store_->put_faces(video, key, "space", std::vector{track});
    const std::string person =
        store_->assign_faces(std::vector<store::Assignment>{{faces[0].id, "", 1}})[0];
    store_->name_person(person, name);
    return person;
  }

  tests::TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_store(folder_.path() / "test.db");
  int stages_ = 0;
};

TEST_F(SearchTest, FindsAMomentWithItsSnippet) {
  put('a', {moment("caption", "c_1", 1, 3, "A man hands over the red folder.")});
  put('b', {moment("caption", "c_1", 1, 3, "A dog sleeps.")});
  const auto hits = search(*store_, {.words = "Who is handing a folder?"});
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].video_id, "v_a");
  EXPECT_EQ(hits[0].path, "/videos/a.mp4");
  EXPECT_EQ(hits[0].range, (TimeRange{kSecond, 3 * kSecond}));
  EXPECT_EQ(hits[0].snippet.text, "A man hands over the red folder.");
  EXPECT_THAT(hits[0].snippet.matches, testing::ElementsAre("hands", "folder"));
  EXPECT_EQ(hits[0].why[0].by, "words");
}

TEST_F(SearchTest, APersonIsFoundByTodaysName) {
  put('a', {});
  const std::string person = add_person("v_a", "Anna Berg", 2, 5);
  EXPECT_EQ(search(*store_, {.words = "anna"}).at(0).of, person);
  store_->name_person(person, "Clara");
  EXPECT_TRUE(search(*store_, {.words = "anna"}).empty());
  const auto hits = search(*store_, {.words = "clara"});
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].kind, "person");
  EXPECT_EQ(hits[0].snippet.text, "Clara");
  store_->forget_person(person, [](const std::string& json) { return json; });
  EXPECT_TRUE(search(*store_, {.words = "clara"}).empty());
}

TEST_F(SearchTest, WhatIsFoundTwoWaysAtOneTimeComesFirst) {
  put('a', {moment("caption", "c_1", 1, 3,
                   "A red cup stands there, alone on a long table in a large room."),
            moment("caption", "c_2", 10, 12, "A red cup.")});
  add_person("v_a", "Anna", 1, 4);
  EXPECT_EQ(search(*store_, {.words = "red cup"}).at(0).of, "c_2");
  EXPECT_EQ(search(*store_, {.words = "anna red cup"}).at(0).of, "c_1");
}

TEST_F(SearchTest, WithoutWordsTheFiltersSayWhatIsShown) {
  put('a', {moment("label", "kitchen", 0, 4, "kitchen"), moment("caption", "c_1", 1, 2, "A cup.")});
  add_person("v_a", "Anna", 2, 3);
  const auto labels = search(*store_, {.words = "", .labels = {"Kitchens"}});
  ASSERT_EQ(labels.size(), 1u);
  EXPECT_EQ(labels[0].kind, "label");
  EXPECT_EQ(search(*store_, {.words = "", .people = {"Anna"}}).at(0).kind, "person");
}

TEST_F(SearchTest, ALimitKeepsTheBest) {
  put('a', {moment("caption", "c_1", 1, 2, "A cup among many other things."),
            moment("caption", "c_2", 3, 4, "A cup.")});
  const auto hits = search(*store_, {.words = "cup", .limit = 1});
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].of, "c_2");
}

std::string message_of(store::Store& store, const SearchQuery& query) {
  try {
    search(store, query);
  } catch (const Error& error) {
    return std::string(to_string(error.code())) + ": " + error.what();
  }
  return "no error";
}

TEST_F(SearchTest, RefusesWhatCannotBe) {
  put('a', {});
  using testing::HasSubstr;
  EXPECT_THAT(message_of(*store_, {.words = "x", .people = {"Nobody"}}),
              HasSubstr("no person 'Nobody'"));
  EXPECT_THAT(message_of(*store_, {.words = "x", .videos = {"v_9"}}), HasSubstr("no video 'v_9'"));
  EXPECT_THAT(message_of(*store_, {.words = "x", .since = "yesterday"}), HasSubstr("2026-11-28"));
  EXPECT_THAT(message_of(*store_, {.words = "x", .until = "2026-13-01"}), HasSubstr("is no date"));
  EXPECT_THAT(message_of(*store_, {.words = "?!"}), HasSubstr("no word to look for"));
  EXPECT_THAT(message_of(*store_, {.words = ""}), HasSubstr("nothing to look for"));
}

TEST_F(SearchTest, ADayCountsWhole) {
  put('a', {moment("caption", "c_1", 1, 2, "A cup.")});
  const std::string today = store_->find_video("v_a")->added_at.substr(0, 10);
  EXPECT_EQ(search(*store_, {.words = "cup", .since = today, .until = today}).size(), 1u);
}

}  // namespace
}  // namespace prismvid::search

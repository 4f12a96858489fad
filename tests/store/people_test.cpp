#include <cstring>

#include "core/error.h"
#include "store_fixture.h"

namespace prismvid::store {
namespace {

const std::string kSpace = "dlib-resnet@1";

/// A face at `x` from `start` on, with a vector and thumbnail that can be found again in the file.
FaceTrack face_at(float x, int64_t start_us, float seed) {
  FaceTrack face;
  face.range = {start_us, start_us + 2'000'000};
  for (int64_t t = start_us; t < face.range.end_us; t += 500'000)
    face.points.push_back({t, {x, 0.2f, x + 0.1f, 0.4f}, 0.9f});
  face.best = 1;
  face.quality = 0.5f + seed / 100;
  face.embedding = {seed, seed + 0.1234567f, seed * 2, 0.7654321f};
  return face;
}

std::string raw(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

StageOutput output_of(const std::vector<FaceTrack>& faces) {
  StageOutput output{"{}", {}};
  for (size_t i = 0; i < faces.size(); ++i) {
    output.blobs.push_back({vector_blob(i), bytes_of(raw(faces[i].embedding))});
    output.blobs.push_back({thumbnail_blob(i), bytes_of("thumbnail " + raw(faces[i].embedding))});
  }
  return output;
}

class People : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (IsSkipped()) return;
    store_ = open();
    video_ = store_->put_video(video_of('a'));
    faces_ = {face_at(0.1f, 0, 1), face_at(0.5f, 0, 2), face_at(0.1f, 5'000'000, 3)};
    records_ = put(faces_, '1');
  }

  std::vector<FaceRecord> put(const std::vector<FaceTrack>& faces, char key,
                              const std::string& space = kSpace) {
    store_->put_stage(stage_of(video_, stage::kFaces, key), output_of(faces));
    return store_->put_faces(video_.id, hash_of(key), space, faces);
  }

  /// Faces 0 and 2 become one new person, face 1 another.
  std::vector<std::string> assign_two() {
    return store_->assign_faces(std::vector<Assignment>{
        {records_[0].id, "", 0}, {records_[1].id, "", 1}, {records_[2].id, "", 0}});
  }

  std::unique_ptr<Store> store_;
  VideoRecord video_;
  std::vector<FaceTrack> faces_;
  std::vector<FaceRecord> records_;
};

TEST_P(People, FacesKeepTheirVectorsToTheBit) {
  ASSERT_EQ(records_.size(), 3u);
  EXPECT_EQ(records_[1].vector, faces_[1].embedding);
  EXPECT_EQ(records_[2].range, faces_[2].range);
  EXPECT_EQ(store_->faces_in_space(kSpace).size(), 3u);
  EXPECT_TRUE(store_->faces_in_space("other").empty());
}

TEST_P(People, AssigningMakesNewPeople) {
  const auto ids = assign_two();
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_NE(ids[0], ids[1]);
  const auto people = store_->people();
  ASSERT_EQ(people.size(), 2u);
  EXPECT_EQ(people[0].id, ids[0]);  // seen longer
  EXPECT_EQ(people[0].face_tracks, 2);
  EXPECT_EQ(people[0].seen_us, 4'000'000);
  EXPECT_EQ(store_->faces_of_person(ids[1]).size(), 1u);
}

TEST_P(People, ThePictureIsOfTheBestTrack) {
  const auto ids = assign_two();
  EXPECT_EQ(*store_->person_picture(ids[0]), bytes_of("thumbnail " + raw(faces_[2].embedding)));
}

TEST_P(People, AnUnnamedPersonWithoutFacesGoesANamedOneStays) {
  const auto ids = assign_two();
  store_->name_person(ids[1], "Anna");
  store_->assign_faces(std::vector<Assignment>{
      {records_[0].id, "", {}}, {records_[1].id, "", {}}, {records_[2].id, "", {}}});
  const auto people = store_->people();
  ASSERT_EQ(people.size(), 1u);
  EXPECT_EQ(people[0].name, "Anna");
}

TEST_P(People, AreFoundByIdAndByName) {
  const auto ids = assign_two();
  store_->name_person(ids[0], "Anna");
  EXPECT_EQ(store_->find_person("Anna")->id, ids[0]);
  EXPECT_EQ(store_->find_person(ids[0])->name, "Anna");
  EXPECT_FALSE(store_->find_person("p_999"));
  EXPECT_FALSE(store_->find_person("Bert"));
  store_->name_person(ids[1], "Anna");
  EXPECT_THROW(store_->find_person("Anna"), Error);
}

TEST_P(People, AnUnknownPersonIsNotFound) {
  for (const char* id : {"p_999", "p_", "p_1x", "Anna", "", "p_-1"}) {
    try {
      store_->name_person(id, "X");
      ADD_FAILURE() << id;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << id;
    }
  }
}

TEST_P(People, MergingKeepsTheOldIdWorkingAndCanBeUndone) {
  const auto ids = assign_two();
  store_->name_person(ids[1], "Anna");
  const auto edit = store_->merge_people(ids[0], ids[1]);
  ASSERT_EQ(store_->people().size(), 1u);
  EXPECT_EQ(store_->find_person(ids[1])->id, ids[0]);
  EXPECT_EQ(store_->find_person(ids[0])->name, "Anna");
  EXPECT_EQ(store_->find_person(ids[0])->face_tracks, 3);
  store_->undo(edit);
  ASSERT_EQ(store_->people().size(), 2u);
  EXPECT_EQ(store_->find_person(ids[1])->face_tracks, 1);
  EXPECT_EQ(store_->find_person(ids[0])->name, "");
  EXPECT_THROW(store_->undo(edit), Error);
  EXPECT_THROW(store_->merge_people(ids[0], ids[0]), Error);
}

TEST_P(People, SplittingMakesAnotherPersonAndCanBeUndone) {
  const auto ids = assign_two();
  const auto split = store_->split_person(ids[0], std::vector{records_[2].id});
  EXPECT_EQ(store_->faces_of_person(split.person_id).size(), 1u);
  EXPECT_EQ(store_->people().size(), 3u);
  EXPECT_THROW(store_->split_person(ids[0], std::vector{records_[1].id}), Error);
  store_->undo(split.edit_id);
  EXPECT_EQ(store_->people().size(), 2u);
  EXPECT_EQ(store_->faces_of_person(ids[0]).size(), 2u);
}

TEST_P(People, NotThisPersonLeavesANegativeVectorAndCanBeUndone) {
  const auto ids = assign_two();
  const auto edit = store_->not_person(ids[0], std::vector{records_[2].id});
  EXPECT_EQ(store_->faces_of_person(ids[0]).size(), 1u);
  const auto negatives = store_->negatives(kSpace);
  ASSERT_EQ(negatives.size(), 1u);
  EXPECT_EQ(negatives[0].person_id, ids[0]);
  EXPECT_EQ(negatives[0].vector, faces_[2].embedding);
  store_->undo(edit);
  EXPECT_TRUE(store_->negatives(kSpace).empty());
  EXPECT_EQ(store_->faces_of_person(ids[0]).size(), 2u);
}

TEST_P(People, HumanAssignmentsAreNotOverwrittenByAutomaticOnes) {
  const auto ids = assign_two();
  const auto split = store_->split_person(ids[0], std::vector{records_[2].id});
  store_->assign_faces(std::vector<Assignment>{{records_[2].id, ids[0], {}}});
  EXPECT_EQ(store_->faces_of_person(split.person_id).size(), 1u);
}

TEST_P(People, DecisionsSurviveARunOfAnotherModel) {
  const auto ids = assign_two();
  store_->name_person(ids[0], "Anna");
  store_->not_person(ids[1], std::vector{records_[1].id});
  // Another model: other vectors, other order, boxes a little off, no third face.
  const std::vector<FaceTrack> again = {face_at(0.51f, 0, 20), face_at(0.11f, 100'000, 10)};
  const auto records = put(again, '2', "sface@1");
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].person_id, ids[0]);
  EXPECT_EQ(records[0].person_id, "");
  const auto negatives = store_->negatives("sface@1");
  ASSERT_EQ(negatives.size(), 1u);
  EXPECT_EQ(negatives[0].vector, again[0].embedding);
  EXPECT_TRUE(store_->faces_in_space(kSpace).empty());
}

TEST_P(People, TheSameRunAgainChangesNothing) {
  const auto ids = assign_two();
  const auto records = put(faces_, '1');
  EXPECT_EQ(records[0].person_id, ids[0]);
  EXPECT_EQ(records[1].person_id, ids[1]);
  EXPECT_EQ(records[0].id, records_[0].id);
}

TEST_P(People, ForgettingLeavesNoByteOfThePerson) {
  const auto ids = assign_two();
  store_->name_person(ids[0], "Annabella Forgotten");
  store_->not_person(ids[0], std::vector{records_[2].id});
  store_->put_document({"a_1", video_.id, "complete",
                        R"({"people":[")" + ids[0] + R"("],"name":"Annabella Forgotten"})", ""});
  const std::string vector = raw(faces_[0].embedding);
  EXPECT_TRUE(on_disk(vector));
  int rewritten = 0;
  const Removed removed = store_->forget_person(ids[0], [&](const std::string& json) {
    ++rewritten;
    EXPECT_NE(json.find(ids[0]), std::string::npos);
    return std::string("{}");
  });
  EXPECT_EQ(rewritten, 1);
  EXPECT_EQ(removed.face_tracks, 1);
  EXPECT_EQ(removed.people, 1);
  EXPECT_EQ(removed.documents, 1);
  EXPECT_EQ(removed.wiped, !is_postgres());
  EXPECT_FALSE(on_disk(vector));
  EXPECT_FALSE(on_disk("Annabella"));
  EXPECT_FALSE(store_->find_person(ids[0]));
  EXPECT_TRUE(store_->find_person(ids[1]));
  EXPECT_TRUE(store_->load_blob(hash_of('1'), vector_blob(1)));
  EXPECT_EQ(store_->latest_document(video_.id)->json, "{}");
  EXPECT_TRUE(store_->negatives(kSpace).empty());
}

TEST_P(People, AForgottenPersonDoesNotComeBackFromTheCache) {
  const auto ids = assign_two();
  put(faces_, '2');  // the run before is now an old one
  store_->assign_faces(
      std::vector<Assignment>{{store_->faces_of_video(video_.id)[0].id, ids[0], {}}});
  store_->forget_person(ids[0], [](const std::string& json) { return json; });
  EXPECT_FALSE(store_->load_stage(hash_of('1')));
  EXPECT_FALSE(store_->load_blob(hash_of('2'), vector_blob(0)));
  EXPECT_FALSE(on_disk(raw(faces_[0].embedding)));
}

TEST_P(People, ForgettingTakesThoseMergedIntoThePersonToo) {
  const auto ids = assign_two();
  store_->merge_people(ids[0], ids[1]);
  store_->forget_person(ids[1], [](const std::string& json) { return json; });
  EXPECT_TRUE(store_->people().empty());
  EXPECT_FALSE(on_disk(raw(faces_[1].embedding)));
}

TEST_P(People, ForgettingEverybodyLeavesNoFace) {
  const auto ids = assign_two();
  store_->name_person(ids[0], "Annabella Forgotten");
  store_->put_stage(stage_of(video_, stage::kShots, '9'), {"{}", {{keyframe_blob(0), bytes_of("a keyframe")}}});
  store_->put_document({"a_1", video_.id, "complete", R"({"people":[]})", ""});
  store_->put_document({"a_2", video_.id, "complete", R"({"name":"Annabella Forgotten"})", ""});
  const Removed removed = store_->forget_everybody([](const std::string& json) { return json.find("Annabella") != std::string::npos ? "{}" : json; });
  EXPECT_EQ(removed.people, 2);
  EXPECT_EQ(removed.face_tracks, 3);
  EXPECT_EQ(removed.vectors, 3);
  EXPECT_EQ(removed.pictures, 3);
  EXPECT_EQ(removed.documents, 1);
  EXPECT_EQ(removed.edits, 1);
  EXPECT_EQ(removed.wiped, !is_postgres());
  EXPECT_TRUE(store_->people().empty());
  EXPECT_TRUE(store_->faces_of_video(video_.id).empty());
  EXPECT_FALSE(store_->load_stage(hash_of('1')));
  EXPECT_TRUE(store_->load_blob(hash_of('9'), keyframe_blob(0)));
  EXPECT_FALSE(on_disk("Annabella"));
  for (const FaceTrack& face : faces_) EXPECT_FALSE(on_disk(raw(face.embedding)));
}

TEST_P(People, IdsAreNeverUsedTwice) {
  const auto ids = assign_two();
  store_->forget_person(ids[1], [](const std::string& json) { return json; });
  EXPECT_NE(store_->create_person("New"), ids[1]);
}

TEST_P(People, DeletingAVideoTakesItsFacesAndUnnamedPeople) {
  assign_two();
  const Removed removed = store_->delete_video(video_.id);
  EXPECT_EQ(removed.face_tracks, 3);
  EXPECT_EQ(removed.vectors, 3);
  EXPECT_EQ(removed.people, 2);
  EXPECT_TRUE(store_->people().empty());
  EXPECT_FALSE(on_disk(raw(faces_[0].embedding)));
}

TEST_P(People, EditsOfAVideoAreAnOverlayWithUndo) {
  EditRecord edit;
  edit.video_id = video_.id;
  edit.op = "set_text";
  edit.target = "x_1";
  edit.value_json = R"("fixed")";
  const auto id = store_->add_edit(edit);
  ASSERT_EQ(store_->edits(video_.id).size(), 1u);
  EXPECT_EQ(store_->edits(video_.id)[0].value_json, R"("fixed")");
  EXPECT_TRUE(store_->edits("").empty());
  store_->undo(id);
  EXPECT_TRUE(store_->edits(video_.id).empty());
  EXPECT_THROW(store_->undo("e_99"), Error);
}

INSTANTIATE_TEST_SUITE_P(Both, People, kBoth, dialect_name);

}  // namespace
}  // namespace prismvid::store

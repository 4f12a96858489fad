#include "vision/faces/identity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace prismvid::vision {
namespace {

/// A unit vector `degrees` from the first axis: cosines are those of the angles between.
FaceVector at(float degrees) {
  const float radians = degrees * 3.14159265f / 180;
  return {std::cos(radians), std::sin(radians), 0};
}

FaceVector elsewhere() {
  return {0, 0, 1};
}

// The default threshold of 0.94 lies at 19.9 degrees.
TEST(Identity, AFaceGoesToTheKnownPersonOfItsNearestFace) {
  const KnownPerson people[] = {{1, {at(0), at(8)}, {}}, {2, {at(70)}, {}}};
  const UnknownFace faces[] = {{at(14), 0.8f}};
  const auto result = assign_people(people, faces, 10);
  EXPECT_EQ(result[0].person, 1);
  EXPECT_FALSE(result[0].founded);
  ASSERT_TRUE(result[0].match);
  EXPECT_NEAR(result[0].match->score, std::cos(6 * 3.14159265 / 180), 1e-4);
  EXPECT_EQ(result[0].match->runner_up, 2);
  EXPECT_NEAR(*result[0].match->margin, 0.9945 - 0.5592, 1e-3);
}

TEST(Identity, StrangersFoundPeopleAndTheirOtherFacesJoinThem) {
  const UnknownFace faces[] = {{at(0), 0.6f}, {at(10), 0.9f}, {elsewhere(), 0.7f}, {at(20), 0.5f}};
  const auto result = assign_people({}, faces, 5);
  EXPECT_TRUE(result[1].founded);
  EXPECT_EQ(result[1].person, 5);
  EXPECT_EQ(result[0].person, 5);
  EXPECT_EQ(result[3].person, 5);
  EXPECT_EQ(result[2].person, 6);
}

TEST(Identity, PoorFacesJoinButNeverFound) {
  const UnknownFace faces[] = {{at(0), 0.9f}, {at(5), 0.1f}, {elsewhere(), 0.1f}};
  const auto result = assign_people({}, faces, 1);
  EXPECT_EQ(result[1].person, 1);
  EXPECT_FALSE(result[2].person);
}

TEST(Identity, AFaceBetweenTwoPeopleStaysUnassigned) {
  const KnownPerson people[] = {{1, {at(0)}, {}}, {2, {at(30)}, {}}};
  const UnknownFace faces[] = {{at(15.1f), 0.9f}};
  const auto result = assign_people(people, faces, 3);
  EXPECT_FALSE(result[0].person);
  ASSERT_TRUE(result[0].match);
  EXPECT_EQ(result[0].match->runner_up, 1);
  EXPECT_LT(*result[0].match->margin, 0.01f);
}

TEST(Identity, NotThisPersonHoldsForFacesNearerToTheRejectedOne) {
  const KnownPerson people[] = {{1, {at(0)}, {at(15)}}};
  const UnknownFace faces[] = {{at(12), 0.9f}, {at(3), 0.9f}};
  const auto result = assign_people(people, faces, 2);
  EXPECT_EQ(result[0].person, 2);
  EXPECT_TRUE(result[0].founded);
  EXPECT_EQ(result[1].person, 1);
}

TEST(Identity, AChainOfSimilarFacesDoesNotJoinItsEnds) {
  std::vector<UnknownFace> faces;
  for (int i = 0; i < 12; ++i)
    faces.push_back({at(15.0f * static_cast<float>(i)), 0.9f - 0.01f * static_cast<float>(i)});
  const auto result = assign_people({}, faces, 1);
  EXPECT_NE(result.front().person, result.back().person);
}

TEST(Identity, TheOrderOfFacesDoesNotChangeWhoBelongsTogether) {
  std::vector<UnknownFace> faces;
  for (const float degrees : {0.0f, 12.0f, 25.0f, 90.0f, 97.0f, 140.0f})
    faces.push_back({at(degrees), 0.5f + degrees / 1000});
  const auto forward = assign_people({}, faces, 1);
  std::reverse(faces.begin(), faces.end());
  auto backward = assign_people({}, faces, 1);
  std::reverse(backward.begin(), backward.end());
  for (size_t a = 0; a < faces.size(); ++a)
    for (size_t b = 0; b < faces.size(); ++b)
      EXPECT_EQ(forward[a].person == forward[b].person, backward[a].person == backward[b].person);
}

TEST(Identity, FacesWithoutVectorAreLeftAlone) {
  const UnknownFace faces[] = {{{}, 0.9f}};
  const auto result = assign_people({}, faces, 1);
  EXPECT_FALSE(result[0].person);
  EXPECT_FALSE(result[0].match);
}

TEST(Identity, VectorsOfDifferentModelsAreRefused) {
  const KnownPerson people[] = {{1, {{1, 0}}, {}}};
  const UnknownFace faces[] = {{at(0), 0.9f}};
  EXPECT_THROW(assign_people(people, faces, 2), Error);
}

}  // namespace
}  // namespace prismvid::vision

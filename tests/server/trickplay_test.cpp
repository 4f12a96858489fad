#include "server/trickplay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace prismvid::server {
namespace {

using testing::HasSubstr;

document::Video video(int64_t seconds, int width = 1920, int height = 1080) {
  document::Video video;
  video.duration_us = seconds * 1'000'000;
  video.picture.width = width;
  video.picture.height = height;
  return video;
}

TEST(Trickplay, TilesGetSparserUntilTenSeconds) {
  EXPECT_EQ(trickplay_of(video(24)).interval_us, 1'000'000);
  EXPECT_EQ(trickplay_of(video(24)).count(), 24);
  EXPECT_EQ(trickplay_of(video(1200)).interval_us, 5'000'000);
  EXPECT_EQ(trickplay_of(video(7200)).interval_us, 10'000'000);
  EXPECT_EQ(trickplay_of(video(7200)).sheets(), 8);
}

TEST(Trickplay, SheetsAreAsLargeAsTheirTiles) {
  const Trickplay trickplay = trickplay_of(video(113));
  EXPECT_EQ(trickplay.sheets(), 2);
  EXPECT_EQ(trickplay.tiles_of(0), 100);
  EXPECT_EQ(trickplay.tiles_of(1), 13);
  EXPECT_EQ(trickplay.tiles_of(2), 0);
  EXPECT_EQ(trickplay.sheet_size(0), (Size{1600, 900}));
  EXPECT_EQ(trickplay.sheet_size(1), (Size{1600, 180}));
  EXPECT_EQ(trickplay_of(video(3)).sheet_size(0), (Size{480, 90}));
}

TEST(Trickplay, UprightVideosHaveUprightTiles) { EXPECT_EQ(trickplay_of(video(5, 1080, 1920)).tile, (Size{90, 160})); }

TEST(Trickplay, CuesNameTheirTileAndEndWithTheVideo) {
  document::Video film = video(112);
  film.duration_us += 500'000;
  const std::string vtt = trickplay_vtt(trickplay_of(film));
  EXPECT_THAT(vtt, testing::StartsWith("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\ntrickplay/0.jpg#xywh=0,0,160,90\n"));
  EXPECT_THAT(vtt, HasSubstr("00:00:11.000 --> 00:00:12.000\ntrickplay/0.jpg#xywh=160,90,160,90\n"));
  EXPECT_THAT(vtt, testing::EndsWith("00:01:52.000 --> 00:01:52.500\ntrickplay/1.jpg#xywh=320,90,160,90\n"));
}

}  // namespace
}  // namespace prismvid::server

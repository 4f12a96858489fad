#include "vision/text/stroke_watch.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace prismvid::vision {
namespace {

constexpr int kWidth = 320, kHeight = 180;
constexpr Box kWhole{0, 0, kWidth, kHeight};

/// A letter of 8x16 pixels: bars that depend on its code.
void draw_letter(Image& luma, char letter, int left) {
  for (int bar = 0; bar < 8; ++bar) {
    if (!(static_cast<unsigned>(letter) * 37 >> bar & 1)) continue;
    for (int y = 84 + bar * 2; y < 86 + bar * 2; ++y)
      for (int x = left + bar % 3 * 2; x < left + bar % 3 * 2 + 3; ++x) luma.row(y)[x] = 235;
  }
}

/// Grey with grain, and a text at x where there is one.
Image scene(const std::string& text, int x, unsigned seed) {
  Image luma(kWidth, kHeight, 1);
  std::mt19937 random(seed);
  for (int i = 0; i < kWidth * kHeight; ++i) luma.data()[i] = static_cast<uint8_t>(110 + random() % 9);
  for (size_t i = 0; i < text.size(); ++i) draw_letter(luma, text[i], x + static_cast<int>(i) * 9);
  return luma;
}

/// Cells of 4x4 pixels, dark or bright.
void draw_cells(Image& luma, int top, int bottom, unsigned seed) {
  std::mt19937 random(seed);
  for (int y = top; y < bottom; y += 4)
    for (int x = 0; x < kWidth; x += 4)
      for (uint8_t level = random() % 2 ? 230 : 20; int i : {0, 1, 2, 3}) std::fill_n(luma.row(y + i) + x, 4, level);
}

Image cells(unsigned seed) {
  Image luma = scene("", 0, seed);
  draw_cells(luma, 0, 60, seed);
  return luma;
}

bool sees_new(ImageView known, ImageView earlier, ImageView now) {
  StrokeWatch watch;
  return watch.sees_new_strokes(known, earlier, now);
}

TEST(NewStrokes, ATextThatHasComeAndStaysIsNew) {
  EXPECT_TRUE(sees_new(scene("", 0, 1), scene("Good morning", 60, 2), scene("Good morning", 60, 3)));
}

TEST(NewStrokes, AnotherTextInItsPlaceIsNew) {
  EXPECT_TRUE(sees_new(scene("Good morning", 60, 1), scene("See you soon", 60, 2), scene("See you soon", 60, 3)));
}

TEST(NewStrokes, AKnownTextGrainAndWhatMovesAreNot) {
  EXPECT_FALSE(sees_new(scene("Good morning", 60, 1), scene("Good morning", 60, 2), scene("Good morning", 60, 3)));
  EXPECT_FALSE(sees_new(scene("", 0, 1), scene("", 0, 2), scene("", 0, 3)));
  EXPECT_FALSE(sees_new(scene("", 0, 1), scene("", 0, 2), scene("Good morning", 60, 3)));
}

TEST(NewStrokes, WhatHasMovedAFewPixelsSinceTheLastLookIsKnown) {
  EXPECT_FALSE(sees_new(scene("Good morning", 60, 1), scene("Good morning", 67, 2), scene("Good morning", 67, 3)));
}

TEST(NewStrokes, AWordMoreBesideAKnownTextIsNew) {
  EXPECT_TRUE(sees_new(scene("Good morning", 60, 1), scene("Good morning Sam", 60, 2), scene("Good morning Sam", 60, 3)));
}

TEST(NewStrokes, PicturesOfAnotherSizeAreAllNew) {
  EXPECT_TRUE(sees_new(Image(64, 36, 1), scene("", 0, 2), scene("", 0, 3)));
}

TEST(NewStrokes, ATextureThatHeldNoTextCallsOnceInAShot) {
  StrokeWatch watch;
  EXPECT_TRUE(watch.sees_new_strokes(cells(1), cells(2), cells(2)));
  watch.learn({});
  EXPECT_FALSE(watch.sees_new_strokes(cells(2), cells(3), cells(3)));
  watch.forget();
  EXPECT_TRUE(watch.sees_new_strokes(cells(3), cells(4), cells(4)));
}

TEST(NewStrokes, ATextBesideATextureIsStillSeen) {
  StrokeWatch watch;
  EXPECT_TRUE(watch.sees_new_strokes(cells(1), cells(2), cells(2)));
  watch.learn({});
  Image with_text = scene("Good morning", 60, 3);
  draw_cells(with_text, 0, 40, 3);
  EXPECT_TRUE(watch.sees_new_strokes(cells(2), with_text, with_text));
}

TEST(NewStrokes, WhereNewTextWasFoundIsNoTexture) {
  StrokeWatch watch;
  EXPECT_TRUE(watch.sees_new_strokes(cells(1), cells(2), cells(2)));
  watch.learn({&kWhole, 1});
  EXPECT_TRUE(watch.sees_new_strokes(cells(2), cells(3), cells(3)));
}

}  // namespace
}  // namespace prismvid::vision

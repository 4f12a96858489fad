#include "vision/text/picture_change.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace prismvid::vision {
namespace {

constexpr int kWidth = 320, kHeight = 180;

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

TEST(NewStrokes, ATextThatHasComeAndStaysIsNew) {
  EXPECT_TRUE(has_new_strokes(scene("", 0, 1), scene("Good morning", 60, 2), scene("Good morning", 60, 3)));
}

TEST(NewStrokes, AnotherTextInItsPlaceIsNew) {
  EXPECT_TRUE(has_new_strokes(scene("Good morning", 60, 1), scene("See you soon", 60, 2), scene("See you soon", 60, 3)));
}

TEST(NewStrokes, AKnownTextGrainAndWhatMovesAreNot) {
  EXPECT_FALSE(has_new_strokes(scene("Good morning", 60, 1), scene("Good morning", 60, 2), scene("Good morning", 60, 3)));
  EXPECT_FALSE(has_new_strokes(scene("", 0, 1), scene("", 0, 2), scene("", 0, 3)));
  EXPECT_FALSE(has_new_strokes(scene("", 0, 1), scene("", 0, 2), scene("Good morning", 60, 3)));
}

TEST(NewStrokes, PicturesOfAnotherSizeAreAllNew) {
  EXPECT_TRUE(has_new_strokes(Image(64, 36, 1), scene("", 0, 2), scene("", 0, 3)));
}

}  // namespace
}  // namespace prismvid::vision

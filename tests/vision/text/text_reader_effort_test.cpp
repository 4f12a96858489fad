#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "vision/text/text_reader.h"

// How much the reader asks of its engine, which here only counts.
namespace prismvid::vision {
namespace {

constexpr int kWidth = 640, kHeight = 360, kFrameUs = 40'000, kFramesASample = 12;

Quad line_at(int row) {
  const auto y = static_cast<float>(10 + 30 * row);
  return {Point{100, y}, {400, y}, {400, y + 20}, {100, y + 20}};
}

/// Finds the first `lines` lines, and reads each as `read` says.
class CountingEngine : public TextEngine {
 public:
  std::vector<TextBox> detect(ImageView) override {
    ++looks;
    std::vector<TextBox> boxes;
    for (int row = 0; row < lines; ++row) boxes.push_back({line_at(row), 0.9f});
    return boxes;
  }
  std::vector<RecognizedText> recognize(ImageView, std::span<const Quad> quads) override {
    std::vector<RecognizedText> texts;
    for (const Quad& quad : quads) texts.push_back(read(static_cast<int>(quad[0].y - 10) / 30));
    readings += static_cast<int>(quads.size());
    return texts;
  }

  int lines = 0;
  int looks = 0;
  int readings = 0;
  std::function<RecognizedText(int row)> read = [](int row) { return RecognizedText{"Line " + std::string(1, static_cast<char>('A' + row)), 0.99f}; };
};

/// Frames with strokes where lines stand.
class Clip {
 public:
  Clip(CountingEngine& engine, std::function<unsigned(int row, int frame)> seed) : engine_(engine), seed_(std::move(seed)) {}

  /// Twelve frames, of which the last is a sample.
  void sample() {
    std::vector<LumaFrame> frames;
    for (int i = 0; i < kFramesASample; ++i, ++next_) frames.push_back({next_, next_ * kFrameUs, draw(static_cast<int>(next_))});
    const Image picture(kWidth, kHeight, 3);
    reader_.add({next_ - 1, (next_ - 1) * kFrameUs, 0, picture}, frames);
    take();
  }
  void finish() {
    reader_.finish({}, next_ * kFrameUs);
    take();
  }
  std::vector<TextTrack> tracks;
  int darker_each_sample = 0;  // the ground: the picture changes, its strokes do not

 private:
  Image draw(int frame) const {
    Image luma(kWidth, kHeight, 1);
    std::memset(luma.data(), 120 - frame / kFramesASample * darker_each_sample % 100, static_cast<size_t>(kWidth) * kHeight);
    for (int row = 0; row < engine_.lines; ++row) {
      std::mt19937 random(seed_(row, frame));
      for (int y = 12 + 30 * row; y < 28 + 30 * row; y += 4)
        for (int x = 104; x < 396; x += 4) {
          const uint8_t level = random() % 2 ? 235 : 20;
          for (int i = 0; i < 4; ++i) std::memset(luma.row(y + i) + x, level, 4);
        }
    }
    return luma;
  }
  void take() {
    for (TextTrack& track : reader_.take_finished()) tracks.push_back(std::move(track));
  }

  CountingEngine& engine_;
  std::function<unsigned(int, int)> seed_;
  TextReader reader_{engine_};
  int64_t next_ = 0;
};

TEST(TextReaderEffort, ManyNewLinesAreReadOverSeveralSamplesAndNoneIsLost) {
  CountingEngine engine;
  engine.lines = 11;
  Clip clip(engine, [](int row, int) { return static_cast<unsigned>(row); });
  for (int i = 0; i < 8; ++i) {
    const int before = engine.readings;
    clip.sample();
    EXPECT_LE(engine.readings - before, 3) << i;
  }
  clip.finish();
  ASSERT_EQ(clip.tracks.size(), 11u);
  for (const TextTrack& track : clip.tracks) {
    EXPECT_EQ(track.range, (TimeRange{0, 8 * kFramesASample * kFrameUs})) << track.text;
    EXPECT_EQ(std::count_if(clip.tracks.begin(), clip.tracks.end(), [&](const auto& other) { return other.text == track.text; }), 1) << track.text;
  }
}

TEST(TextReaderEffort, ATextOverARestlessPictureIsLookedForOnceASecond) {
  CountingEngine engine;
  engine.lines = 1;
  engine.read = [&engine](int) { return RecognizedText{"Good morning " + std::to_string(engine.looks), 0.8f}; };
  Clip clip(engine, [](int, int frame) { return static_cast<unsigned>(frame); });
  for (int i = 0; i < 24; ++i) clip.sample();
  EXPECT_LE(engine.looks, 15);
  EXPECT_GE(engine.looks, 12);
}

int looks_at_a_standing_line(float confidence, CountingEngine& engine) {
  engine.lines = 1;
  engine.read = [confidence](int) { return RecognizedText{"Good morning", confidence}; };
  Clip clip(engine, [](int row, int) { return static_cast<unsigned>(row); });
  clip.darker_each_sample = 7;
  for (int i = 0; i < 24; ++i) clip.sample();
  return engine.looks;
}

TEST(TextReaderEffort, WhereNothingNewIsFoundTextIsLookedForEveryTwoSeconds) {
  CountingEngine engine;
  const int looks = looks_at_a_standing_line(0.999f, engine);
  EXPECT_GE(looks, 6);
  EXPECT_LE(looks, 8);
}

TEST(TextReaderEffort, ALineReadBeyondDoubtIsReadOnceAnotherTwice) {
  CountingEngine certain, likely;
  looks_at_a_standing_line(0.999f, certain);
  looks_at_a_standing_line(0.97f, likely);
  EXPECT_EQ(certain.readings, 1);
  EXPECT_EQ(likely.readings, 2);
}

}  // namespace
}  // namespace prismvid::vision

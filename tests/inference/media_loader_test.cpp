#include "inference/media_loader.h"

#include <gtest/gtest.h>

#include <chrono>
#include <semaphore>

#include "inference/tiny_checkpoint.h"

namespace prismvid::inference {
namespace {

// While the tower works on a part nobody calls next(): the part behind it must come all the same.
TEST(MediaStream, DecodesAheadWhileAPartIsEncoded) {
  auto processor = qwen3_vl::read_processor_config(qwen3_vl::kGolden / "models" / "dense_tied");
  processor.video_max_pixels = int64_t{1} << 28;
  const MediaSettings settings{qwen3_vl::tiny_model("dense_tied").config().vision, processor};
  FrameList list;
  const auto frame = std::make_shared<const Image>(qwen3_vl::synthetic_picture(256, 256, 1));
  for (int i = 0; i < 160; ++i) {
    list.frames.push_back(frame);
    list.times_us.push_back(i * 500'000);
  }
  const std::variant<ImageSource, VideoSource> source = VideoSource{list, {}};
  const MediaPlan plan = plan_media(source, settings);
  std::counting_semaphore<> ready{0};
  MediaStream stream({source}, {plan}, settings, [&] { ready.release(); });
  int parts = 0, patches = 0;
  while (const auto part = stream.next()) {
    patches += part->rows.grid.patches();
    if (++parts > 3) continue;  // the last ones may be there already
    while (!stream.ready())
      ASSERT_TRUE(ready.try_acquire_for(std::chrono::minutes(2))) << "behind part " << parts;
  }
  EXPECT_GT(parts, 4);
  EXPECT_EQ(patches, plan.layout.grid.patches());
}

}  // namespace
}  // namespace prismvid::inference

#include "core/media_time.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace prismvid {

TEST(MediaTime, ClockTextAndMicrosecondsAgree) {
  EXPECT_EQ(parse_clock("83.5"), 83'500'000);
  EXPECT_EQ(parse_clock("1:23.5"), 83'500'000);
  EXPECT_EQ(parse_clock("1:02:03"), 3'723'000'000);
  EXPECT_EQ(format_clock(83'500'000), "1:23.500");
  EXPECT_EQ(format_clock(3'723'456'000), "1:02:03.456");
}

TEST(MediaTime, RefusesTextThatIsNoTime) {
  for (const char* text : {"", ":", "1:", "a", "1.2.3", "1:2:3:4", "-1", "1e3", "99999999999999999999"})
    EXPECT_THROW(parse_clock(text), Error) << text;
}

}  // namespace prismvid

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "media/subtitles.h"

// Whatever the bytes, the segments are sorted, have a length and a text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto segments =
      prismvid::media::parse_subtitles({reinterpret_cast<const char*>(data), size});
  int64_t last_start = 0;
  for (const auto& segment : segments) {
    if (segment.range.start_us < last_start || segment.range.end_us <= segment.range.start_us ||
        segment.text.empty())
      std::abort();
    last_start = segment.range.start_us;
  }
  return 0;
}

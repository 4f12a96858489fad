#include <cstdint>
#include <cstdlib>

#include "media/picture_header.h"

// Whatever the bytes, an accepted header has a size and an orientation that exist.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto header = prismvid::media::read_picture_header({data, size});
  if (header && (header->size.width <= 0 || header->size.height <= 0 || header->orientation < 1 ||
                 header->orientation > 8))
    std::abort();
  return 0;
}

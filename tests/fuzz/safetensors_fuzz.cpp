#include <cstdint>
#include <cstdlib>

#include "core/error.h"
#include "nn/safetensors_header.h"

// Whatever the header says, a tensor that is accepted lies inside the file and has its shape's
// size.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  const uint64_t file_bytes = size + 4096;
  try {
    for (const auto& [name, entry] :
         nn::parse_safetensors_header({data, size}, file_bytes, "fuzz")) {
      uint64_t numbers = 1;
      for (const int side : entry.shape) numbers *= static_cast<uint64_t>(side);
      if (entry.begin > entry.end || entry.end > file_bytes || entry.begin < 8 ||
          (numbers == 0) != (entry.begin == entry.end) || entry.end - entry.begin < numbers)
        std::abort();
    }
  } catch (const Error&) {
  }
  return 0;
}

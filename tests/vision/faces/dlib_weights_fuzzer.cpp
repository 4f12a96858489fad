#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "core/error.h"
#include "vision/faces/dlib_weights.h"

/// Whatever the bytes are: a network of the expected layers, or Error(kModel).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  using namespace prismvid::vision;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  for (const bool detector : {true, false}) {
    std::istringstream stream(bytes);
    try {
      if (detector) {
        read_dlib_detector(stream, "fuzz");
      } else {
        read_dlib_resnet(stream, "fuzz");
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kModel) __builtin_trap();
    }
  }
  return 0;
}

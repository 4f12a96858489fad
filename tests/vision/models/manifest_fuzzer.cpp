#include <cstddef>
#include <cstdint>
#include <string>

#include "core/error.h"
#include "vision/models/manifest.h"
#include "vision/objects/detector_settings.h"

/// Whatever the bytes are: a manifest, or Error. One that is read is written and read back the
/// same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  using namespace prismvid::vision;
  try {
    const ModelManifest manifest =
        parse_manifest(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    const std::string text = manifest_text(manifest);
    if (manifest_text(parse_manifest(text, "fuzz")) != text) __builtin_trap();
    if (manifest.task == "object_detection") parse_detector_settings(manifest);
  } catch (const Error&) {
  }
  return 0;
}

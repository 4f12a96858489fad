#include "models/qwen3_vl/device_decoder.h"

namespace prismvid::qwen3_vl {

std::shared_ptr<DeviceDecoder> make_device_decoder(const LanguageModel&, const TextConfig&) {
  return nullptr;  // a build without CUDA
}

}  // namespace prismvid::qwen3_vl

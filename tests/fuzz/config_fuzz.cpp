#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/error.h"
#include "core/json_depth.h"
#include "models/qwen3_vl/config.h"
#include "nn/quantization.h"

// A config.json is understood or refused with our error; what is understood can be built.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = nlohmann::json::parse(text, nullptr, false);
  if (nests_deeper_than(text) || file.is_discarded()) return 0;
  try {
    const auto config = qwen3_vl::parse_config(file);
    if (config.text.head_dim <= 0 || config.text.layers <= 0 || config.vision.depth <= 0 ||
        config.text.heads % config.text.key_value_heads != 0)
      std::abort();
    const auto table =
        nn::QuantizationTable::parse(file, [](const std::string& path) { return path; });
    table.find("lm_head", config.text.hidden_size, config.text.hidden_size / 8,
               config.text.hidden_size / 64, true);
  } catch (const Error&) {
  }
  return 0;
}

#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "tokenizer/tokenizer.h"

// A tokenizer.json is refused with our error, or it makes a tokenizer that gives the text back.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace prismvid;
  try {
    const tokenizer::Tokenizer made(
        tokenizer::parse_tokenizer_json({reinterpret_cast<const char*>(data), size}));
    const std::string text = "Hello, wor1d: \xC3\xA4\xF0\x9F\x98\x80  \n";
    for (const int id : made.encode(text)) made.token_bytes(id);
  } catch (const Error&) {
  }
  return 0;
}

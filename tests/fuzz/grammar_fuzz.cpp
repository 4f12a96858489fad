#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/error.h"
#include "grammar/automaton.h"
#include "grammar/grammar.h"

namespace {

using namespace prismvid::grammar;

std::shared_ptr<const Grammar> grammar_of(const std::string& text) {
  if (text[0] == 'r') return Grammar::regex(text.substr(1));
  const auto schema = nlohmann::ordered_json::parse(text, nullptr, false);
  if (schema.is_discarded()) return nullptr;
  return Grammar::json_schema(schema);
}

// Whatever bytes are taken, the text can go on or may end.
void walk(const Grammar& grammar, const uint8_t* choices, size_t size) {
  Automaton automaton(grammar.network(), grammar.rule());
  int state = automaton.start();
  for (size_t i = 0; i < std::min<size_t>(size, 64); ++i) {
    int next = Automaton::kDead;
    for (int tried = 0; tried < 256 && next == Automaton::kDead; ++tried)
      next = automaton.next(state, static_cast<uint8_t>(choices[i] + tried));
    if (next == Automaton::kDead) {
      if (!automaton.can_end(state)) std::abort();
      return;
    }
    state = next;
  }
}

}  // namespace

// A schema, or an expression behind an "r": refused with an Error, or made into a grammar without
// dead ends.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  try {
    const auto grammar = grammar_of({reinterpret_cast<const char*>(data), size});
    if (grammar) walk(*grammar, data, size);
  } catch (const prismvid::Error& error) {
    if (error.code() != prismvid::ErrorCode::kInvalidArgument) std::abort();
  }
  return 0;
}

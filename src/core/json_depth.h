#pragma once

#include <string_view>

namespace prismvid {

constexpr int kDeepestJson = 128;  // levels; no file that people write comes near

/// Whether the brackets of a JSON text nest deeper than `levels`. JSON values are copied and freed
/// by recursion, so foreign text is asked before it is parsed.
bool nests_deeper_than(std::string_view json, int levels = kDeepestJson);

}  // namespace prismvid

#pragma once

#include <vector>

namespace prismvid::inference {

/// Whether `tokens` end in one stretch repeated over and over: at least 8 times, and 128 tokens in
/// all, for a stretch of up to 256 tokens. Long lists and tables differ from line to line and pass.
bool ends_in_loop(const std::vector<int>& tokens);

}  // namespace prismvid::inference

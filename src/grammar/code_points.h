#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "grammar/network.h"

namespace prismvid::grammar {

/// Code points low to high, both included.
struct CodePointRange {
  char32_t low = 0, high = 0;
};
/// Sorted, apart from each other.
using CodePointSet = std::vector<CodePointRange>;

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

/// Sorts and joins ranges; takes out the surrogates, which no text can hold.
CodePointSet normalized(std::vector<CodePointRange> ranges);
CodePointSet complement(const CodePointSet& set);
CodePointSet intersection(const CodePointSet& a, const CodePointSet& b);

enum class Writing {
  kPlain,      // UTF-8
  kJsonString  // UTF-8 as it stands between the quotes of a JSON string: escaped where it must be
};

/// Edges that read one code point of `set`.
void add_code_points(Network& network, int from, const CodePointSet& set, Writing writing, int to);

/// The code points of UTF-8. Throws Error(kInvalidArgument) where it is not well-formed.
std::u32string to_code_points(std::string_view text);

/// `text` as it stands between the quotes of a JSON string.
std::string json_escaped(std::string_view text);

}  // namespace prismvid::grammar

#include <algorithm>

#include "core/error.h"
#include "grammar/pattern.h"

namespace prismvid::grammar {
namespace {

constexpr int kDeepestGroup = 100;
constexpr int kMostRepeats = 10'000;
constexpr int kMostStackedRepeats = 8;

const CodePointSet kDigits{{'0', '9'}};
const CodePointSet kWordCharacters{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const CodePointSet kAsciiSpaces{{'\t', '\r'}, {' ', ' '}};
// Every code point that ECMAScript or Python takes for a space.
const CodePointSet kAllSpaces{{'\t', '\r'},     {0x1C, 0x20},     {0x85, 0x85},
                              {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                              {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                              {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
const CodePointSet kLineEnds{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

struct Node {
  enum class Kind { kEmpty, kSet, kSequence, kAlternatives, kRepeat };
  Kind kind = Kind::kEmpty;
  CodePointSet set;
  std::vector<Node> children;
  int min = 0;
  std::optional<int> max;
};

Node set_node(CodePointSet set) {
  return {Node::Kind::kSet, std::move(set), {}, 0, {}};
}

class Parser {
 public:
  Parser(const std::string& text, Match match)
      : text_(text), characters_(to_code_points(text)), match_(match) {}

  Node parse() {
    Node node = alternatives(0);
    if (!at_end()) refuse("an unmatched )");
    return node;
  }

 private:
  bool at_end() const { return position_ >= characters_.size(); }
  char32_t peek(size_t ahead = 0) const {
    return position_ + ahead < characters_.size() ? characters_[position_ + ahead] : 0;
  }
  bool accept(char32_t c) {
    if (at_end() || peek() != c) return false;
    ++position_;
    return true;
  }
  [[noreturn]] void refuse(const std::string& what) const {
    fail(ErrorCode::kInvalidArgument, "the regular expression ", text_.substr(0, 200),
         " cannot be used: ", what, " at character ", position_ + 1);
  }

  Node alternatives(int depth) {
    if (depth > kDeepestGroup) refuse("groups are nested too deeply");
    Node node{Node::Kind::kAlternatives, {}, {}, 0, {}};
    do node.children.push_back(sequence(depth));
    while (accept('|'));
    return node;
  }

  Node sequence(int depth) {
    Node node{Node::Kind::kSequence, {}, {}, 0, {}};
    const bool opened = depth == 0 && accept('^');
    bool closed = false;
    while (!at_end() && peek() != '|' && peek() != ')') {
      if (depth == 0 && peek() == '$' && (position_ + 1 == characters_.size() || peek(1) == '|')) {
        closed = accept('$');
        break;
      }
      node.children.push_back(repeated(depth));
    }
    if (depth > 0 || match_ == Match::kWhole) return node;
    if (!opened) node.children.insert(node.children.begin(), anything());
    if (!closed) node.children.push_back(anything());
    return node;
  }

  static Node anything() {
    Node node{Node::Kind::kRepeat, {}, {}, 0, {}};
    node.children.push_back(set_node(complement({})));
    return node;
  }

  Node repeated(int depth) {
    Node node = atom(depth);
    for (int repeats = 0;; ++repeats) {
      Node repeat{Node::Kind::kRepeat, {}, {}, 0, {}};
      if (accept('*')) {
      } else if (accept('+')) {
        repeat.min = 1;
      } else if (accept('?')) {
        repeat.max = 1;
      } else if (peek() == '{' && !at_end()) {
        read_counts(repeat);
      } else {
        return node;
      }
      accept('?');  // lazy: the same texts
      repeat.children.push_back(std::move(node));
      node = std::move(repeat);
      if (repeats > kMostStackedRepeats) refuse("too many repetitions of a repetition");
    }
  }

  void read_counts(Node& repeat) {
    accept('{');
    repeat.min = number();
    repeat.max = repeat.min;
    if (accept(',')) {
      repeat.max.reset();
      if (peek() != '}') repeat.max = number();
    }
    if (!accept('}')) refuse("a { that is not {n}, {n,} or {n,m}; write \\{ for the character");
    if (repeat.max && *repeat.max < repeat.min) refuse("{n,m} with m below n");
  }

  int number() {
    int value = 0;
    const size_t start = position_;
    for (; peek() >= '0' && peek() <= '9'; ++position_) {
      value = value * 10 + static_cast<int>(peek() - '0');
      if (value > kMostRepeats) refuse("a repetition above 10000");
    }
    if (position_ == start)
      refuse("a { that is not {n}, {n,} or {n,m}; write \\{ for the character");
    return value;
  }

  Node atom(int depth) {
    if (accept('(')) return group(depth);
    if (accept('[')) return set_node(character_class());
    if (accept('.')) return set_node(complement(kLineEnds));
    if (accept('\\')) return set_node(escape());
    const char32_t c = peek();
    if (c == '*' || c == '+' || c == '?' || c == '{') refuse("nothing to repeat");
    if (c == '^' || c == '$') refuse("^ or $ that is not around a whole alternative");
    ++position_;
    return set_node({{c, c}});
  }

  Node group(int depth) {
    if (accept('?')) {
      if (accept('P')) {
      }
      if (accept('<')) {
        if (peek() == '=' || peek() == '!') refuse("look-behind");
        while (!at_end() && !accept('>')) ++position_;
      } else if (!accept(':')) {
        refuse("look-ahead or flags in a group");
      }
    }
    Node node = alternatives(depth + 1);
    if (!accept(')')) refuse("a ( without )");
    return node;
  }

  CodePointSet character_class() {
    const bool negated = accept('^');
    std::vector<CodePointRange> ranges;
    for (bool first = true; first || peek() != ']'; first = false) {
      if (at_end()) refuse("a [ without ]");
      if (first && peek() == ']') break;  // [] matches nothing, as in ECMAScript
      const CodePointSet low = class_member();
      if (peek() == '-' && peek(1) != ']' && position_ + 1 < characters_.size()) {
        ++position_;
        const CodePointSet high = class_member();
        const bool single = low.size() == 1 && low[0].low == low[0].high && high.size() == 1 &&
                            high[0].low == high[0].high && low[0].low <= high[0].low;
        if (!single) refuse("a range in [] that does not go from a character to a later one");
        ranges.push_back({low[0].low, high[0].high});
      } else {
        ranges.insert(ranges.end(), low.begin(), low.end());
      }
    }
    accept(']');
    const CodePointSet set = normalized(std::move(ranges));
    return negated ? complement(set) : set;
  }

  CodePointSet class_member() {
    if (accept('\\')) return peek() == 'b' ? (++position_, CodePointSet{{8, 8}}) : escape();
    const char32_t c = characters_[position_++];
    return {{c, c}};
  }

  CodePointSet escape() {
    if (at_end()) refuse("a \\ at the end");
    const char32_t c = characters_[position_++];
    const auto one = [](char32_t value) { return CodePointSet{{value, value}}; };
    switch (c) {
      case 'd':
        return kDigits;
      case 'D':
        return complement(kDigits);
      case 'w':
        return kWordCharacters;
      case 'W':
        return complement(kWordCharacters);
      case 's':
        return kAsciiSpaces;
      case 'S':
        return complement(kAllSpaces);
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 't':
        return one('\t');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case '0':
        return one(0);
      case 'x':
        return one(hexadecimal(2));
      case 'u':
        return one(hexadecimal(4));
      default:
        break;
    }
    const bool letter_or_digit =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter_or_digit) refuse("\\b, \\p, back references and other such escapes");
    return one(c);
  }

  char32_t hexadecimal(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char32_t c = peek();
      const int digit = c >= '0' && c <= '9'   ? static_cast<int>(c - '0')
                        : c >= 'a' && c <= 'f' ? static_cast<int>(c - 'a') + 10
                        : c >= 'A' && c <= 'F' ? static_cast<int>(c - 'A') + 10
                                               : -1;
      if (digit < 0) refuse("\\x needs two and \\u four hexadecimal digits");
      value = value * 16 + static_cast<char32_t>(digit);
      ++position_;
    }
    if (value >= 0xD800 && value <= 0xDFFF) refuse("half of a surrogate pair");
    return value;
  }

  const std::string& text_;
  const std::u32string characters_;
  const Match match_;
  size_t position_ = 0;
};

// Adds a node behind `from`; returns its end. Each call makes a state, so size limits work.
int build(Pattern& pattern, const Node& node, int from) {
  const int end = pattern.add_state();
  const auto join = [&](int a, int b) { pattern.states[a].empty.push_back(b); };
  switch (node.kind) {
    case Node::Kind::kEmpty:
      join(from, end);
      break;
    case Node::Kind::kSet:
      pattern.states[from].edges.push_back({node.set, end});
      break;
    case Node::Kind::kSequence:
      for (const Node& child : node.children) from = build(pattern, child, from);
      join(from, end);
      break;
    case Node::Kind::kAlternatives:
      for (const Node& child : node.children) join(build(pattern, child, from), end);
      break;
    case Node::Kind::kRepeat:
      for (int i = 0; i < node.min; ++i) from = build(pattern, node.children[0], from);
      if (!node.max) {
        const int loop = pattern.add_state();
        join(from, loop);
        join(build(pattern, node.children[0], loop), loop);
        join(loop, end);
        break;
      }
      join(from, end);
      for (int i = node.min; i < *node.max; ++i) {
        from = build(pattern, node.children[0], from);
        join(from, end);
      }
      break;
  }
  return end;
}

}  // namespace

Pattern parse_regex(const std::string& text, Match match) {
  const Node node = Parser(text, match).parse();
  Pattern pattern;
  pattern.start = pattern.add_state();
  pattern.end = build(pattern, node, pattern.start);
  return pattern;
}

}  // namespace prismvid::grammar

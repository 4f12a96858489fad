// sample_texts MODEL COUNT: reads one request a line, {"schema": ...} or {"regex": "..."} or
// {"choice": [...]}, and writes for each a line {"texts": [...]} with COUNT texts whose tokens were
// taken at random from the masks, or {"error": "..."}.
#include <iostream>
#include <optional>
#include <random>
#include <string>

#include "core/error.h"
#include "grammar/token_masks.h"
#include "vocabulary.h"

namespace {

using namespace prismvid::grammar;
using Json = nlohmann::ordered_json;

constexpr int kLongest = 1500;  // tokens; a random text that goes on is given up
constexpr int kTries = 30;

std::shared_ptr<const Grammar> grammar_of(const Json& request) {
  if (request.contains("regex")) return Grammar::regex(request["regex"].get<std::string>());
  if (request.contains("choice"))
    return Grammar::choice(request["choice"].get<std::vector<std::string>>());
  return Grammar::json_schema(request["schema"]);
}

// Any token of the mask; every other time one that closes something, so that texts end.
int pick(const TokenMask& mask, const TokenTrie& trie, std::mt19937& random) {
  std::vector<int> all, closing;
  for (int id = 0; id < trie.vocabulary(); ++id) {
    if (!contains(mask, id)) continue;
    all.push_back(id);
    const std::string& bytes = trie.bytes(id);
    if (bytes == "\"" || bytes == "]" || bytes == "}") closing.push_back(id);
  }
  const auto& from = !closing.empty() && random() % 2 == 0 ? closing : all;
  if (from.empty()) throw std::logic_error("no token goes on, and the text may not end");
  return from[random() % from.size()];
}

std::optional<std::string> try_sample(const std::shared_ptr<TokenMasks>& masks,
                                      const TokenTrie& trie, std::mt19937& random) {
  Matcher matcher(masks);
  std::string text;
  for (int i = 0; i < kLongest; ++i) {
    if (matcher.must_end() || (matcher.can_end() && random() % 2 == 0)) return text;
    const int id = pick(matcher.mask(), trie, random);
    if (!matcher.take(id)) throw std::logic_error("a token of the mask was refused");
    text += trie.bytes(id);
  }
  return std::nullopt;
}

std::string sample(const std::shared_ptr<TokenMasks>& masks, const TokenTrie& trie,
                   std::mt19937& random) {
  for (int i = 0; i < kTries; ++i)
    if (auto text = try_sample(masks, trie, random)) return *text;
  throw std::logic_error("no text ended");
}

}  // namespace

int main(int, char** arguments) {
  const auto trie = vocabulary_of(arguments[1]);
  const int count = std::stoi(arguments[2]);
  std::mt19937 random(1);
  for (std::string line; std::getline(std::cin, line);) {
    Json reply;
    try {
      const auto masks = std::make_shared<TokenMasks>(grammar_of(Json::parse(line)), trie);
      for (int i = 0; i < count; ++i) reply["texts"].push_back(sample(masks, *trie, random));
    } catch (const prismvid::Error& error) {
      reply["error"] = error.what();
    }
    std::cout << reply.dump() << "\n";
  }
}

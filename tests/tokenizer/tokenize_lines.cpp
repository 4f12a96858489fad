// tokenize_lines FOLDER STRINGS.json: prints a JSON list with the token ids of each string.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tokenizer/tokenizer.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: tokenize_lines FOLDER STRINGS.json\n";
    return 2;
  }
  const auto tokenizer = prismvid::tokenizer::Tokenizer::load(argv[1]);
  std::ifstream in(argv[2]);
  const auto strings = nlohmann::json::parse(in).get<std::vector<std::string>>();
  nlohmann::json ids = nlohmann::json::array();
  for (const std::string& text : strings) ids.push_back(tokenizer.encode(text));
  std::cout << ids.dump() << "\n";
}

#include "tokenizer/tokenizer_files.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/json_depth.h"
#include "tokenizer/unicode.h"

namespace prismvid::tokenizer {
namespace {

using nlohmann::json;

// The pattern pre_tokenize() implements; another one would need another splitter.
constexpr const char* kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  check(in.good(), ErrorCode::kModel, "tokenizer: cannot read ", path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

json parse(const std::string& text, const std::string& name) {
  check(!nests_deeper_than(text), ErrorCode::kModel, "tokenizer: ", name, " is nested too deeply");
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, "tokenizer: ", name, " is not valid JSON: ", e.what());
  }
}

// Printable Latin-1 bytes stand for themselves, the others for U+0100 onwards, in order.
std::unordered_map<char32_t, char> make_byte_of_character() {
  std::unordered_map<char32_t, char> byte_of;
  char32_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    byte_of[printable ? static_cast<char32_t>(byte) : next++] = static_cast<char>(byte);
  }
  return byte_of;
}

std::pair<std::string, std::string> parse_merge(const json& merge) {
  if (merge.is_array() && merge.size() == 2)
    return {bytes_of_token(merge[0].get<std::string>()),
            bytes_of_token(merge[1].get<std::string>())};
  const auto line = merge.get<std::string>();
  const size_t space = line.find(' ');
  check(space != std::string::npos && line.find(' ', space + 1) == std::string::npos,
        ErrorCode::kModel, "tokenizer: the merge \"", line,
        "\" is not two tokens with a space between");
  return {bytes_of_token(line.substr(0, space)), bytes_of_token(line.substr(space + 1))};
}

AddedToken parse_added(const json& token, int id) {
  AddedToken added{id, token.at("content").get<std::string>(), token.value("special", false)};
  for (const char* flag : {"single_word", "lstrip", "rstrip"})
    check(!token.value(flag, false), ErrorCode::kModel, "tokenizer: the added token ",
          added.content, " sets ", flag, ", which is not supported");
  check(!added.content.empty(), ErrorCode::kModel, "tokenizer: added token ", id, " is empty");
  return added;
}

bool mentions_pattern(const json& node) {
  if (node.is_string()) return node.get_ref<const std::string&>() == kQwen2Pattern;
  if (!node.is_structured()) return false;
  for (const json& child : node)
    if (mentions_pattern(child)) return true;
  return false;
}

void read_vocabulary(const json& vocabulary, TokenizerData& data) {
  std::unordered_map<int, bool> is_added;
  for (const AddedToken& token : data.added) is_added[token.id] = true;
  data.vocabulary.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items())
    if (!is_added.contains(id.get<int>()))
      data.vocabulary.emplace(bytes_of_token(token), id.get<int>());
}

TokenizerData parse_checked(const json& file) {
  const json& model = file.at("model");
  check(model.value("type", "BPE") == "BPE", ErrorCode::kModel,
        "tokenizer: tokenizer.json holds a ", model.value("type", ""),
        " model; only byte-level BPE is supported");
  check(mentions_pattern(file.value("pre_tokenizer", json())), ErrorCode::kModel,
        "tokenizer: tokenizer.json does not use the split pattern of Qwen2, so this is not a "
        "Qwen3-VL tokenizer");
  TokenizerData data;
  for (const json& token : file.at("added_tokens"))
    data.added.push_back(parse_added(token, token.at("id").get<int>()));
  read_vocabulary(model.at("vocab"), data);
  for (const json& merge : model.at("merges")) data.merges.push_back(parse_merge(merge));
  return data;
}

TokenizerData read_vocabulary_and_merges(const std::filesystem::path& folder) {
  TokenizerData data;
  const json config = parse(read_file(folder / "tokenizer_config.json"), "tokenizer_config.json");
  for (const auto& [id, token] : config.at("added_tokens_decoder").items())
    data.added.push_back(parse_added(token, std::stoi(id)));
  read_vocabulary(parse(read_file(folder / "vocab.json"), "vocab.json"), data);
  std::istringstream lines(read_file(folder / "merges.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !line.starts_with("#version"))
      data.merges.push_back(parse_merge(json(line)));
  }
  return data;
}

// Errors of a file's form, told by the JSON library, as ours.
template <typename Read>
TokenizerData with_model_errors(const Read& read) {
  try {
    return read();
  } catch (const json::exception& e) {
    fail(ErrorCode::kModel, "tokenizer: unexpected form: ", e.what());
  } catch (const std::logic_error& e) {
    fail(ErrorCode::kModel, "tokenizer: bad token id: ", e.what());
  }
}

}  // namespace

std::string bytes_of_token(const std::string& token) {
  static const std::unordered_map<char32_t, char> byte_of = make_byte_of_character();
  std::string bytes;
  for (size_t i = 0; i < token.size();) {
    const CodePoint c = code_point_at(token, i);
    const auto byte = byte_of.find(c.value);
    check(byte != byte_of.end(), ErrorCode::kModel, "tokenizer: \"", token,
          "\" holds a character that stands for no byte");
    bytes.push_back(byte->second);
    i += static_cast<size_t>(c.length);
  }
  return bytes;
}

TokenizerData parse_tokenizer_json(const std::string& text) {
  return with_model_errors([&] { return parse_checked(parse(text, "tokenizer.json")); });
}

TokenizerData read_tokenizer_files(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "tokenizer.json"))
    return parse_tokenizer_json(read_file(folder / "tokenizer.json"));
  check(std::filesystem::exists(folder / "vocab.json"), ErrorCode::kModel,
        "tokenizer: ", folder.string(), " holds neither tokenizer.json nor vocab.json");
  return with_model_errors([&] { return read_vocabulary_and_merges(folder); });
}

}  // namespace prismvid::tokenizer

#include "deep/language.h"

#include <algorithm>
#include <map>

#include "core/error.h"

namespace prismvid::deep {
namespace {

// The languages Qwen3's report names among those it was trained for, by BCP 47.
const std::map<std::string, std::string>& names() {
  static const std::map<std::string, std::string> kNames = {
      {"ar", "Arabic"},     {"bg", "Bulgarian"},
      {"bn", "Bengali"},    {"ca", "Catalan"},
      {"cs", "Czech"},      {"da", "Danish"},
      {"de", "German"},     {"el", "Greek"},
      {"en", "English"},    {"es", "Spanish"},
      {"et", "Estonian"},   {"fa", "Persian"},
      {"fi", "Finnish"},    {"fr", "French"},
      {"he", "Hebrew"},     {"hi", "Hindi"},
      {"hr", "Croatian"},   {"hu", "Hungarian"},
      {"id", "Indonesian"}, {"it", "Italian"},
      {"ja", "Japanese"},   {"ko", "Korean"},
      {"lt", "Lithuanian"}, {"lv", "Latvian"},
      {"ms", "Malay"},      {"nl", "Dutch"},
      {"no", "Norwegian"},  {"pl", "Polish"},
      {"pt", "Portuguese"}, {"pt-br", "Brazilian Portuguese"},
      {"ro", "Romanian"},   {"ru", "Russian"},
      {"sk", "Slovak"},     {"sl", "Slovenian"},
      {"sr", "Serbian"},    {"sv", "Swedish"},
      {"sw", "Swahili"},    {"ta", "Tamil"},
      {"th", "Thai"},       {"tl", "Filipino"},
      {"tr", "Turkish"},    {"uk", "Ukrainian"},
      {"ur", "Urdu"},       {"vi", "Vietnamese"},
      {"zh", "Chinese"},    {"zh-tw", "Traditional Chinese"}};
  return kNames;
}

}  // namespace

std::string language_name(const std::string& code) {
  std::string key = code;
  std::transform(key.begin(), key.end(), key.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const auto found = names().find(key);
  if (found != names().end()) return found->second;
  std::string known;
  for (const auto& [each, name] : names()) known += (known.empty() ? "" : ", ") + each;
  fail(ErrorCode::kInvalidArgument, "unknown language '", code, "': choose from ", known);
}

}  // namespace prismvid::deep

#include "vision/text/unicode.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <array>
#include <map>
#include <span>
#include <string>

#include "core/error.h"

namespace prismvid::vision {
namespace {

icu::UnicodeString from_utf8(std::string_view text) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
}

bool is_word(const std::u32string& word, std::span<const std::u32string_view> words) {
  for (const auto& candidate : words)
    if (word == candidate) return true;
  return false;
}

/// English or German by the number of common words, nothing where neither leads.
std::string guess_latin_language(std::string_view text) {
  static constexpr std::array<std::u32string_view, 30> kEnglish{
      U"the",  U"and",  U"of",   U"to",    U"is",  U"you", U"that", U"it",   U"was",  U"for",
      U"are",  U"with", U"this", U"have",  U"not", U"we",  U"what", U"be",   U"from", U"they",
      U"your", U"but",  U"can",  U"there", U"he",  U"she", U"my",   U"will", U"at",   U"on"};
  static constexpr std::array<std::u32string_view, 30> kGerman{
      U"der",  U"die",  U"und", U"das",  U"ist", U"nicht", U"ich",  U"sie", U"es",   U"ein",
      U"eine", U"wir",  U"mit", U"auf",  U"zu",  U"den",   U"im",   U"dem", U"von",  U"f\u00fcr",
      U"auch", U"noch", U"wie", U"aber", U"war", U"bei",   U"nach", U"er",  U"sich", U"aus"};
  int english = 0, german = 0, words = 0;
  std::u32string word;
  auto finish_word = [&] {
    if (word.empty()) return;
    ++words;
    english += is_word(word, kEnglish);
    german += is_word(word, kGerman);
    for (char32_t c : word)
      german += c == U'\u00e4' || c == U'\u00f6' || c == U'\u00fc' || c == U'\u00df';
    word.clear();
  };
  for (char32_t c : code_points(text)) {
    if (u_isalpha(static_cast<UChar32>(c)))
      word += static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
    else
      finish_word();
  }
  finish_word();
  if (words < 3 || english == german) return {};
  return english > german ? "en" : "de";
}

}  // namespace

std::string to_nfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(status);
  icu::UnicodeString normal = normalizer->normalize(from_utf8(text), status);
  check(U_SUCCESS(status), ErrorCode::kInternal,
        "text cannot be normalised: ", u_errorName(status));
  std::string utf8;
  return normal.trim().toUTF8String(utf8);
}

std::u32string code_points(std::string_view text) {
  const icu::UnicodeString source = from_utf8(text);
  std::u32string result;
  for (int32_t i = 0; i < source.length(); i = source.moveIndex32(i, 1))
    result += static_cast<char32_t>(source.char32At(i));
  return result;
}

std::string to_utf8(std::u32string_view text) {
  icu::UnicodeString source;
  for (char32_t c : text) source.append(static_cast<UChar32>(c));
  std::string utf8;
  return source.toUTF8String(utf8);
}

std::u32string comparison_key(std::string_view text) {
  std::u32string key;
  for (char32_t c : code_points(text))
    if (u_isalnum(static_cast<UChar32>(c)))
      key += static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT));
  return key;
}

std::string guess_language(std::string_view text) {
  std::map<UScriptCode, int> scripts;
  int letters = 0;
  for (char32_t c : code_points(text)) {
    if (!u_isalpha(static_cast<UChar32>(c))) continue;
    UErrorCode status = U_ZERO_ERROR;
    ++scripts[uscript_getScript(static_cast<UChar32>(c), &status)];
    ++letters;
  }
  const int kana = scripts[USCRIPT_HIRAGANA] + scripts[USCRIPT_KATAKANA];
  if (kana > 0 && 2 * (kana + scripts[USCRIPT_HAN]) > letters) return "ja";
  static const std::pair<UScriptCode, const char*> kLanguages[] = {
      {USCRIPT_HAN, "zh"},   {USCRIPT_HANGUL, "ko"},    {USCRIPT_CYRILLIC, "ru"},
      {USCRIPT_GREEK, "el"}, {USCRIPT_ARABIC, "ar"},    {USCRIPT_HEBREW, "he"},
      {USCRIPT_THAI, "th"},  {USCRIPT_DEVANAGARI, "hi"}};
  for (const auto& [script, language] : kLanguages)
    if (2 * scripts[script] > letters) return language;
  return 2 * scripts[USCRIPT_LATIN] > letters ? guess_latin_language(text) : std::string();
}

}  // namespace prismvid::vision

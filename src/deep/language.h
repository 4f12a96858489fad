#pragma once

#include <string>

namespace prismvid::deep {

/// The English name of a language, for prompts: "de" is "German", "pt-BR" "Brazilian Portuguese".
/// Throws Error(kInvalidArgument) naming the codes there are.
std::string language_name(const std::string& code);

}  // namespace prismvid::deep

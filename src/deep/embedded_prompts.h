#pragma once

namespace prismvid::deep {

/// A file of prompts/ as it was when the program was built.
struct EmbeddedPrompt {
  const char* name;  // without ".md"; nullptr ends the list
  const char* text;
  const char* schema;  // of its reply, JSON Schema
};

extern const EmbeddedPrompt kEmbeddedPrompts[];

}  // namespace prismvid::deep

#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "grammar/network.h"

namespace prismvid::grammar {

/// The set of texts that an answer may be. Immutable, thread-safe.
class Grammar {
 public:
  /// JSON that fulfils a JSON Schema: objects with required and optional properties in the schema's
  /// order, arrays, enums, const, numbers with limits, strings with lengths and patterns, anyOf,
  /// oneOf whose alternatives exclude each other, allOf, local $ref with recursion. Throws
  /// Error(kInvalidArgument) for other keywords, and for a schema that nothing can fulfil.
  static std::shared_ptr<const Grammar> json_schema(const nlohmann::ordered_json& schema);
  /// Any JSON text.
  static std::shared_ptr<const Grammar> any_json();
  /// What the whole of a regular expression matches, see parse_regex().
  static std::shared_ptr<const Grammar> regex(const std::string& expression);
  /// One of the texts.
  static std::shared_ptr<const Grammar> choice(const std::vector<std::string>& texts);

  const Network& network() const { return network_; }
  int rule() const { return rule_; }
  /// Equal for equal grammars.
  const std::string& key() const { return key_; }

 private:
  Grammar() = default;
  static std::shared_ptr<const Grammar> finished(std::shared_ptr<Grammar> grammar);

  Network network_;
  int rule_ = 0;
  std::string key_;
};

}  // namespace prismvid::grammar

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace prismvid::grammar {

using Json = nlohmann::ordered_json;

/// A JSON Schema (draft 2020-12, the parts that text can be held to while it is written) and its
/// references.
class SchemaDocument {
 public:
  explicit SchemaDocument(Json root) : root_(std::move(root)) {}

  const Json& root() const { return root_; }

  /// What "#", "#/$defs/name" and other local pointers name. Throws Error(kInvalidArgument).
  const Json& resolve(const std::string& reference) const;

  /// `schema` as one object without $ref and allOf at its top. Throws Error(kInvalidArgument) for
  /// references in a circle, keywords that are not supported, or constraints that cannot be joined.
  Json flattened(const Json& schema) const;

  /// Both at once, flattened.
  Json merged(const Json& a, const Json& b) const;

  /// Whether no text written for `a` fulfils `b`; false where that cannot be told.
  bool never_matches(const Json& a, const Json& b, int depth = 0) const;

 private:
  Json flattened(const Json& schema, int depth) const;
  Json merged(const Json& a, const Json& b, int depth) const;
  Json joined(Json a, const Json& b, int depth) const;
  void join_properties(Json& a, const Json& b, int depth) const;

  Json root_;
  mutable int work_ = 0;  // references can multiply: bounded
};

/// "null", "boolean", "object", "array", "number", "string", "integer" that the schema allows: its
/// "type", or what its other keywords speak of; all but "integer" where nothing is said.
std::vector<std::string> types_of(const Json& schema);

/// Whether a value has one of the types.
bool has_type(const Json& value, const std::vector<std::string>& types);

/// Throws Error(kInvalidArgument) for keywords that exist in JSON Schema but not here, and for
/// values of a wrong kind.
void check_keywords(const Json& schema);

}  // namespace prismvid::grammar

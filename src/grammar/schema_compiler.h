#pragma once

#include <string>
#include <unordered_map>

#include "grammar/network.h"
#include "grammar/schema_document.h"

namespace prismvid::grammar {

/// Turns a JSON Schema into rules for the JSON texts that fulfil it. Properties come in the order
/// of the schema; where "additionalProperties" is not given, there are no others. Between tokens
/// may stand nothing, a blank, or a line end and blanks.
class SchemaCompiler {
 public:
  SchemaCompiler(Network& network, SchemaDocument document)
      : network_(network), document_(std::move(document)) {}

  /// The rule of the whole schema. Throws Error(kInvalidArgument) for what is not supported.
  int compile() { return rule_of(document_.root()); }

 private:
  int rule_of(const Json& schema);
  void add_schema(int from, const Json& schema, int to);
  void add_alternatives(int from, const Json& schema, const char* key, int to);
  void add_values(int from, const Json& schema, int to);
  void add_type(int from, const std::string& type, const Json& schema, int to);
  void add_string(int from, const Json& schema, int to);
  void add_array(int from, const Json& schema, int to);
  void add_object(int from, const Json& schema, int to);
  int add_other_properties(int from, bool behind_others, const Json& schema);
  int add_other_name(int from, const Json& properties);
  int add_value(int from, const Json& value);
  int add_space(int from);
  int add_symbol(int from, const char* symbol);
  int add_call(int from, int rule);
  int character_rule();

  Network& network_;
  const SchemaDocument document_;
  std::unordered_map<std::string, int> rules_;  // by the schema's text
  int depth_ = 0;  // of nested subschemas
  int space_rule_ = -1;
  int character_rule_ = -1;
};

}  // namespace prismvid::grammar

#include "grammar/grammar.h"

#include "core/error.h"
#include "grammar/automaton.h"
#include "grammar/pattern.h"
#include "grammar/schema_compiler.h"

namespace prismvid::grammar {

std::shared_ptr<const Grammar> Grammar::json_schema(const nlohmann::ordered_json& schema) {
  const std::shared_ptr<Grammar> grammar(new Grammar);
  grammar->key_ = "schema " + schema.dump(-1, ' ', false, Json::error_handler_t::replace);
  grammar->rule_ = SchemaCompiler(grammar->network_, SchemaDocument(schema)).compile();
  return finished(grammar);
}

std::shared_ptr<const Grammar> Grammar::any_json() {
  return json_schema(true);
}

std::shared_ptr<const Grammar> Grammar::regex(const std::string& expression) {
  const std::shared_ptr<Grammar> grammar(new Grammar);
  Network& network = grammar->network_;
  grammar->key_ = "regex " + expression;
  grammar->rule_ = network.add_rule();
  network.set_accepting(add_pattern(network, network.start_of(grammar->rule_),
                                    parse_regex(expression, Match::kWhole), {}, Writing::kPlain));
  return finished(grammar);
}

std::shared_ptr<const Grammar> Grammar::choice(const std::vector<std::string>& texts) {
  check(!texts.empty(), ErrorCode::kInvalidArgument, "a choice needs at least one text");
  const std::shared_ptr<Grammar> grammar(new Grammar);
  Network& network = grammar->network_;
  grammar->key_ = "choice ";
  grammar->rule_ = network.add_rule();
  for (const std::string& text : texts) {
    check(!text.empty(), ErrorCode::kInvalidArgument, "a choice cannot be an empty text");
    to_code_points(text);  // refuses what is not UTF-8
    grammar->key_ += std::to_string(text.size()) + ":" + text;
    network.set_accepting(network.add_text(network.start_of(grammar->rule_), text));
  }
  return finished(grammar);
}

std::shared_ptr<const Grammar> Grammar::finished(std::shared_ptr<Grammar> grammar) {
  grammar->network_.finish();
  check(grammar->network_.can_end(grammar->rule_), ErrorCode::kInvalidArgument,
        "nothing can fulfil the ", grammar->key_.substr(0, 300),
        ": its constraints exclude each other, or it holds itself without end");
  check(grammar->network_.depth_of(grammar->rule_) <= Automaton::kDeepest,
        ErrorCode::kInvalidArgument, "the schema asks for deeper nesting than is supported");
  return grammar;
}

}  // namespace prismvid::grammar

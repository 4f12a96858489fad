"""Texts that PrismVid's grammars allow, judged by jsonschema and re: 400 generated schemas, expressions, and schemas that
nothing can fulfil. Usage: validate_samples.py SAMPLE_TEXTS MODEL"""
import json
import random
import re
import subprocess
import sys

import jsonschema

SCHEMAS = 400
TEXTS = 5
NAMES = ["name", "start", "end", "Größe", "a b", "x", 'quo"te', "tag", "tags", "id"]
PATTERNS = ["^[a-z]{2,5}$", "^\\d{4}-\\d{2}-\\d{2}$", "^[A-F]+x$", "[a-z]", "^(ja|nein|vielleicht)$", "^[^\"\\\\]{1,4}$", "^a.c$", "^\\w{1,3}@\\w{1,3}\\.de$"]
SCALARS = ["red", "blue", "", 'a "b"', "日本", 1, -3, 2.5, True, False, None]


class Maker:
    """Random schemas that can be fulfilled."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def schema(self, depth):
        r = self.r
        kinds = [self.string, self.integer, self.number, self.enum, self.constant, self.plain]
        if depth > 0:
            kinds += [self.object, self.array] * 3 + [self.any_of, self.one_of, self.all_of]
        made = r.choice(kinds)(depth)
        if r.random() < 0.1:
            made["title"] = "a title"
        return made

    def plain(self, depth):
        return {"type": self.r.choice(["null", "boolean", "string", "integer", "number", ["string", "null"]])}

    def string(self, depth):
        r = self.r
        if r.random() < 0.4:
            made = {"type": "string", "pattern": r.choice(PATTERNS)}
            if r.random() < 0.3:
                made["maxLength"] = 12
            return made
        low = r.randint(0, 5)
        return {"type": "string", "minLength": low, "maxLength": low + r.randint(0, 20)}

    def integer(self, depth):
        r = self.r
        low = r.choice([-1000, -17, -1, 0, 1, 9, 99, 12345])
        made = {"type": "integer"}
        if r.random() < 0.7:
            made[r.choice(["minimum", "exclusiveMinimum"])] = low
        if r.random() < 0.7:
            made[r.choice(["maximum", "exclusiveMaximum"])] = low + r.randint(2, 500)
        return made

    def number(self, depth):
        r = self.r
        low = r.choice([-2.5, -1e-3, 0, 0.1, 0.25, 3, 99.99, 1e6])
        made = {"type": "number", r.choice(["minimum", "exclusiveMinimum"]): low}
        made[r.choice(["maximum", "exclusiveMaximum"])] = low + r.choice([0.001, 0.5, 1, 37.25])
        if r.random() < 0.3:
            made.pop(r.choice([key for key in made if key != "type"]))
        return made

    def enum(self, depth):
        values = self.r.sample(SCALARS, self.r.randint(1, 4))
        if self.r.random() < 0.3:
            values.append({"k": [1, "two"], "l": {}})
        return {"enum": values}

    def constant(self, depth):
        return {"const": self.r.choice(SCALARS + [[1, [2]], {"a": None}])}

    def object(self, depth):
        r = self.r
        names = r.sample(NAMES, r.randint(0, 4))
        made = {"type": "object", "properties": {name: self.schema(depth - 1) for name in names}}
        made["required"] = [name for name in names if r.random() < 0.6]
        rest = r.random()
        if rest < 0.5:
            made["additionalProperties"] = False
        elif rest < 0.7:
            made["additionalProperties"] = self.schema(0)
        return made

    def array(self, depth):
        r = self.r
        low = r.randint(0, 3)
        made = {"type": "array", "items": self.schema(depth - 1), "minItems": low}
        if r.random() < 0.7:
            made["maxItems"] = low + r.randint(0, 3)
        if r.random() < 0.2:
            made["prefixItems"] = [self.schema(0), self.schema(0)]
        return made

    def any_of(self, depth):
        return {"anyOf": [self.schema(depth - 1) for _ in range(self.r.randint(1, 3))]}

    def one_of(self, depth):
        def variant(kind):
            return {"type": "object", "required": ["kind"], "properties": {"kind": {"const": kind}, "value": self.schema(0)}}
        return {"oneOf": [variant(kind) for kind in ("a", "b", "c")[: self.r.randint(2, 3)]]}

    def all_of(self, depth):
        return {"allOf": [{"type": "object", "properties": {"x": self.schema(0)}, "required": ["x"]},
                          {"properties": {"y": {"type": "boolean"}}, "required": ["y"]}]}


TREE = {"$defs": {"node": {"type": "object", "additionalProperties": False, "required": ["name"],
                           "properties": {"name": {"type": "string", "maxLength": 5},
                                          "children": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/node"}}}}},
        "$ref": "#/$defs/node"}
LIST = {"anyOf": [{"type": "null"}, {"type": "object", "required": ["value", "next"],
                                      "properties": {"value": {"type": "integer"}, "next": {"$ref": "#"}}}]}
EXPRESSIONS = ["[0-9]{1,3}(\\.[0-9]{1,3}){3}", "(ab|cd)*ef?", "[^aeiou ]{3}", "\\d\\w\\s\\S", "a{0,3}b+?c*", "é|[α-ω]{2}", "x\\.y\\u0041",
               "^(yes|no)$"]
IMPOSSIBLE = [False, {"$ref": "#"}, {"type": "integer", "minimum": 5, "maximum": 4}, {"enum": [1], "type": "string"},
              {"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}},
              {"type": "string", "pattern": "^a{5}$", "maxLength": 4}, {"type": "array", "items": False, "minItems": 1},
              {"allOf": [{"type": "string"}, {"type": "null"}]}, {"type": "number", "exclusiveMinimum": 1, "maximum": 1}]
UNSUPPORTED = [{"not": {}}, {"type": "array", "uniqueItems": True}, {"type": "integer", "multipleOf": 3}, {"$ref": "http://x/y"},
               {"oneOf": [{"type": "number"}, {"type": "integer"}]}, {"type": "string", "pattern": "(?=a)b"}]


def sampled(program, model, requests):
    """The replies of sample_texts, one for each request."""
    done = subprocess.run([program, model, str(TEXTS)], input="".join(json.dumps(one) + "\n" for one in requests),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(requests)
    return replies


def main():
    program, model = sys.argv[1:]
    schemas = [Maker(seed).schema(seed % 4) for seed in range(SCHEMAS)] + [TREE, LIST, True, {}]
    for schema, reply in zip(schemas, sampled(program, model, [{"schema": one} for one in schemas])):
        assert "texts" in reply, f"refused: {json.dumps(schema)}: {reply}"
        validator = jsonschema.Draft202012Validator(schema)
        for text in reply["texts"]:
            try:
                validator.validate(json.loads(text))
            except (ValueError, jsonschema.ValidationError) as error:
                sys.exit(f"{json.dumps(schema)}\nallows {text!r}:\n{str(error)[:500]}")

    for expression, reply in zip(EXPRESSIONS, sampled(program, model, [{"regex": one} for one in EXPRESSIONS])):
        for text in reply["texts"]:
            assert re.fullmatch(expression, text), f"{expression} allows {text!r}"

    for schema, reply in zip(IMPOSSIBLE + UNSUPPORTED, sampled(program, model, [{"schema": s} for s in IMPOSSIBLE + UNSUPPORTED])):
        wanted = "nothing can fulfil|names itself" if schema in IMPOSSIBLE else "cannot be used"
        assert re.search(wanted, reply.get("error", "")), f"{schema}: {reply}"
    print(f"{len(schemas) * TEXTS} texts of {len(schemas)} schemas are valid")


main()

"""Conversations and what the checkpoints' own chat templates make of them."""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast

IMAGE, VIDEO = {"type": "image", "image": "a.jpg"}, {"type": "video", "video": "b.mp4"}
TOOLS = [{"type": "function", "function": {"name": "search", "description": "Looks a \"word\" up, ünï.\n", "parameters": {
    "type": "object", "properties": {"q": {"type": "string"}, "n": {"type": "integer", "default": 5},
                                     "t": {"type": "number", "enum": [0.5, 1.0, 1e-05, 2.5e20, -3.25]}},
    "required": ["q"], "empty": {}, "none": None, "list": [], "flag": True}}}, {"name": "now", "parameters": {}}]
CALLS = [{"type": "function", "function": {"name": "search", "arguments": {"q": "a b", "n": 2}}},
         {"name": "now", "arguments": "{\"as\": \"text\"}"}]


def text(words):
    return {"type": "text", "text": words}


def user(*parts):
    return {"role": "user", "content": list(parts) if len(parts) > 1 or isinstance(parts[0], dict) else parts[0]}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


SYSTEM = {"role": "system", "content": "You answer briefly."}
THOUGHT = "<think>\nI saw it.\n</think>\n\nA cat."
CONVERSATIONS = [
    {"messages": [user("Describe what happens.")]},
    {"messages": [user("\n\nleading lines and trailing space ")]},
    {"messages": [SYSTEM, user(IMAGE, text("What is this?"))]},
    {"messages": [user(VIDEO, text("Describe this video."))]},
    {"messages": [user(text("First:"), IMAGE, text(" second: "), IMAGE, VIDEO, text("Compare."))], "number_media": True},
    {"messages": [SYSTEM, user(IMAGE, text("What?")), assistant("A cat."), user(text("And here?"), IMAGE)]},
    {"messages": [{"role": "system", "content": [text("Part one. "), text("Part two.")]}, user("Hi")], "tools": TOOLS},
    {"messages": [user("Find it.")], "tools": TOOLS},
    {"messages": [user("Find it."), assistant("Let me look.", tool_calls=CALLS),
                  {"role": "tool", "content": "found 1"}, {"role": "tool", "content": [text("see "), IMAGE]}],
     "tools": TOOLS},
    {"messages": [user("Find it."), assistant("", tool_calls=CALLS[:1]), {"role": "tool", "content": "found"},
                  assistant("Found."), user("Thanks. Again?")], "tools": TOOLS},
    {"messages": [user("What?"), assistant(THOUGHT), user("Sure?")]},
    {"messages": [user("What?"), assistant(THOUGHT)], "generation_prompt": False},
    {"messages": [user("What?"), assistant("\nA dog.", reasoning_content="\nhm\n"), SYSTEM, user("Why?")]},
    {"messages": [user("Do it."), assistant("", reasoning_content="I need a tool.", tool_calls=CALLS[1:]),
                  {"role": "tool", "content": "12:00"}], "tools": TOOLS},
    {"messages": [user("Do it."), assistant("On it.", tool_calls=CALLS[1:]),
                  user("<tool_response>\n12:00\n</tool_response>"), assistant("Noon.")], "generation_prompt": False},
]


def goldens(tokenizer, templates):
    """`templates`: a folder with instruct.jinja and thinking.jinja, taken from the checkpoints."""
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    result = []
    for thinking in (False, True):
        fast.chat_template = Path(templates, "thinking.jinja" if thinking else "instruct.jinja").read_text()
        for case in CONVERSATIONS:
            rendered = fast.apply_chat_template(
                case["messages"], tools=case.get("tools"), tokenize=False,
                add_generation_prompt=case.get("generation_prompt", True), add_vision_id=case.get("number_media", False))
            result.append({**case, "thinking": thinking, "rendered": rendered,
                           "ids": tokenizer.encode(rendered, add_special_tokens=False).ids})
    return json.dumps(result, ensure_ascii=False, indent=0)

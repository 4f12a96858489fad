"""Writes the goldens of the model's tests with the reference implementations.

    pip install transformers==5.23.0 tokenizers==0.23.3 torch mlx-vlm==0.7.10 pillow
    python tools/dump_golden.py tokenizer --templates FOLDER   # with instruct.jinja and thinking.jinja
    python tools/dump_golden.py models --templates FOLDER
    python tools/dump_golden.py resize
    python tools/dump_golden.py quantized                      # after models

The templates are those of the checkpoints (chat_template.jinja of an Instruct and of a Thinking one).
"""

import argparse
import json
from pathlib import Path

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"


def dump_tokenizer(arguments):
    from parity import chat, strings, tokenizers_of_qwen
    folder = GOLDEN / "tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizers_of_qwen.small(strings.corpus())
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    texts = strings.strings(1200, seed=1)
    plain = tokenizers_of_qwen.plain(tokenizer)
    pairs = [[t, plain.encode(t, add_special_tokens=False).ids] for t in texts]
    (folder / "strings.json").write_text(json.dumps(pairs, separators=(",", ":")))
    (folder / "chats.json").write_text(chat.goldens(tokenizer, arguments.templates))


def dump_models(arguments):
    from importlib.metadata import version
    from parity import model_goldens
    model_goldens.dump(GOLDEN, arguments.templates)
    versions = {name: version(name) for name in ("transformers", "torch", "tokenizers", "pillow")}
    (GOLDEN / "models" / "versions.json").write_text(json.dumps(versions) + "\n")


def dump_resize(_arguments):
    from parity import resize
    folder = GOLDEN / "resize"
    folder.mkdir(exist_ok=True)
    (folder / "bicubic.inc").write_text(resize.goldens())


def dump_quantized(_arguments):
    from parity import quantized
    quantized.dump(GOLDEN)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("tokenizer", dump_tokenizer), ("models", dump_models)):
        command = commands.add_parser(name)
        command.add_argument("--templates", required=True)
        command.set_defaults(run=run)
    for name, run in (("resize", dump_resize), ("quantized", dump_quantized)):
        commands.add_parser(name).set_defaults(run=run)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()

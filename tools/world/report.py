"""Prints the tables of the held-out clips; with --update also between the marks of docs/deep.md.

usage: python -m world.report DIR [--update]     (from tools/)
DIR as bench/world.sh fills it: full/scores-*.json of the bundled model, bits/scores-Nbit.json of several quantisations,
compare-TYPE.json of compare_transformers.py.
"""
import json
import pathlib
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "deep.md"
BEGIN, END = "<!-- made by tools/world/report.py --update -->", "<!-- end -->"
ROWS = [  # (in the tables, in the scores, least)
    ("captions: events right and in order", "captions: events right, in order", 0.95),
    ("captions: order", "captions: order right", 0.95),
    ("captions: direction", "captions: direction right", 0.95),
    ("captions: times within half a second", "captions: times within 0.5 s", 0.90),
    ("captions: scene openings right", "captions: scene openings right", None),
    ("captions: nothing made up", "captions: no event made up", None),
    ("story: whether there is one", "story: applicable or not", None),
    ("story: beats", "story: beats right", 0.85),
    ("questions about what is shown", "questions: right", 0.95),
    ("\"not shown\" recognised", "questions: not shown recognised", 0.90),
    ("answers that cite only right times", "questions: cites the right time", None),
    ("documents valid against the schema", "documents valid against the schema", 1.0),
    ("documents that cite only what was shown", "documents that cite only what was shown", 1.0),
]


def percent(value):
    return "" if value is None else f"{100 * value:.1f} %"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def reached(result):
    rows = []
    for title, name, least in ROWS:
        value = result["scores"].get(name)
        missed = " **misses**" if value is not None and least is not None and value < least else ""
        rows.append((title, f"{percent(value)}{missed}", str(result["counts"][name][1]), percent(least)))
    kinds = {n.removeprefix("questions, "): v for n, v in result["scores"].items() if n.startswith("questions, ")}
    weakest = sorted(kinds.items(), key=lambda item: item[1])
    return (f"{result['clips']} clips, {result['media_seconds']:.0f} s of video, {result['questions']} questions, "
            f"{result['model']}:\n\n"
            + table(("measure", "reached", "of", "aim"), rows) + "\n\nQuestions by topic: "
            + ", ".join(f"{kind} {percent(value)}" for kind, value in weakest) + ".")


def by_bits(results):
    results = sorted(results, key=lambda r: -int(r["model"].removesuffix("bit")))
    rows = [[title] + [percent(r["scores"].get(name)) for r in results] for title, name, _ in ROWS
            if name in results[0]["scores"]]
    return (f"Quantisations of the text model ({results[0]['clips']} clips, {results[0]['questions']} questions):\n\n"
            + table(["measure"] + [r["model"].removesuffix("bit") + " bit" for r in results], rows))


def compared(results):
    rows = []
    for r in results:
        same, of = r["counts"]["same replies"]
        kinds = [f"{name.removeprefix('same replies, ')} {right} of {count}" for name, (right, count) in r["counts"].items()
                 if name.startswith("same replies, ")]
        nats = sorted(d["parting"]["nats"] for d in r["differ"])
        apart = ", ".join(f"{n:.3f}" for n in nats) if len(nats) < 12 else \
            f"median {nats[len(nats) // 2]:.3f}, most {nats[-1]:.3f}"
        rows.append((r["model"], r["type"], f"{same} of {of} ({percent(same / of)})", ", ".join(kinds), apart,
                     percent(r["scores"]["same number of tokens in"])))
    return ("The same requests asked of transformers' own model (captions and answers, compared as JSON; aim 99 %). Where replies part, "
            "transformers' logits prefer its own token by so many nats:\n\n"
            + table(("program's weights", "arithmetic there", "same replies", "by the prompt's first word", "nats where they part",
                     "same number of tokens in"), rows))


def main():
    folder = pathlib.Path(sys.argv[1])
    read = [json.loads(f.read_text()) for f in sorted(folder.glob("full/scores-*.json"))]
    parts = [reached(r) for r in read]
    bits = [json.loads(f.read_text()) for f in sorted(folder.glob("bits/scores-*bit.json"))]
    if bits:
        parts.append(by_bits(bits))
    both = [r for f in sorted(folder.glob("compare-*.json")) for r in json.loads(f.read_text())]
    if both:
        parts.append(compared(both))
    text = "\n\n".join(parts)
    print(text)
    if "--update" in sys.argv:
        page = PAGE.read_text()
        head, rest = page.split(BEGIN, 1)
        PAGE.write_text(head + BEGIN + "\n" + text + "\n" + END + rest.split(END, 1)[1])


if __name__ == "__main__":
    main()

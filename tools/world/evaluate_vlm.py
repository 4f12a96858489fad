"""Scores the demonstration Qwen3-VL on held-out clips with the prompts of the deep stage.

usage: python -m world.evaluate_vlm MODEL_DIR [--clips 500] [--questions 4]     (from tools/)
Writes MODEL_DIR/scores.json and, with --show N, prints N clips with truth and replies.
"""
import argparse
import collections
import json
import pathlib
import random
import time

import torch
from tokenizers import Tokenizer

from . import language
from .generate import replies
from .packing import Document, Encoder
from .questions import Facts, question
from .script import write_clip
from .tasks import Tasks, frame_times, known_facts, look
from .train_vlm import load
from .vlm import build, configuration

DIRECTED = ("move", "enter", "leave")


def parse(text):
    try:
        return json.loads(text)
    except (json.JSONDecodeError, TypeError):
        return None


def caption_rows(text):
    """[(start, end, text)] of a captions reply; empty if it breaks the schema."""
    value = parse(text)
    try:
        return [(float(c["start"]), float(c["end"]), str(c["text"])) for c in value["captions"]]
    except (TypeError, KeyError, ValueError):
        return []


def common(a, b):
    """Longest common subsequence of two lists of texts as index pairs."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            table[i][j] = table[i + 1][j + 1] + 1 if a[i] == b[j] else max(table[i + 1][j], table[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


class Tally:
    def __init__(self):
        self.right, self.all = collections.Counter(), collections.Counter()

    def add(self, name, right, count=1):
        self.right[name] += right
        self.all[name] += count

    def table(self):
        return {name: round(self.right[name] / self.all[name], 4) for name in sorted(self.all) if self.all[name]}


def score_captions(tally, clip, text):
    want = [(c["start"], c["end"], c["text"]) for c in language.captions(clip)]
    got = caption_rows(text)
    value = parse(text)
    tally.add("captions: valid JSON", value is not None and bool(got))
    openings = {s.opening for s in clip.scenes}
    pairs = common([w[2] for w in want], [g[2] for g in got])
    events = [p for p in pairs if want[p[0]][2] not in openings]
    wanted = sum(w[2] not in openings for w in want)
    tally.add("captions: events right, in order", len(events), wanted)
    tally.add("captions: scene openings right", len(pairs) - len(events), len(want) - wanted)
    tally.add("captions: no event made up", len(pairs), len(got))
    tally.add("captions: times within 0.5 s", sum(abs(want[i][0] - got[j][0]) <= 0.51 and abs(want[i][1] - got[j][1]) <= 0.51
                                                  for i, j in pairs), len(pairs))
    texts = [g[2] for g in got]
    for e in clip.events:
        if e.kind in DIRECTED:
            told = language.sentence(language.clause(e))
            stem = told.rsplit(" ", 1)[0]
            same = [t for t in texts if t.rsplit(" ", 1)[0] == stem]
            if same:
                tally.add("captions: direction right", told in same)
    order = [next((i for i, w in enumerate(want) if w[2] == t), None) for t in texts]
    order = [o for o in order if o is not None]
    tally.add("captions: order right", sum(a <= b for a, b in zip(order, order[1:])), max(0, len(order) - 1))


def score_story(tally, clip, text):
    want, got = language.story(clip), parse(text)
    tally.add("story: valid JSON", isinstance(got, dict) and "applicable" in got)
    got = got if isinstance(got, dict) else {}
    tally.add("story: applicable or not", got.get("applicable") == want["applicable"])
    if want["applicable"]:
        try:
            beats = [f"{b['kind']}: {b['text']}" for b in got["arcs"][0]["beats"]]
        except (KeyError, IndexError, TypeError):
            beats = []
        goal = [f"{b['kind']}: {b['text']}" for b in want["arcs"][0]["beats"]]
        tally.add("story: beats right", len(common(goal, beats)), len(goal))


def score_question(tally, q, text, prefix):
    got = parse(text)
    got = got if isinstance(got, dict) else {}
    tally.add(f"{prefix}: valid JSON", {"evidence", "shown", "answer"} <= set(got))
    right = got.get("answer") == q.answer
    if q.answer.startswith("From ") and got.get("evidence"):  # a time: right within half a second
        try:
            right = all(abs(got["evidence"][0][k] - v) <= 0.51 for k, v in zip(("start", "end"), q.evidence[0]))
        except (KeyError, TypeError, IndexError):
            right = False
    if q.shown:
        tally.add(f"{prefix}: right", right)
        tally.add(f"{prefix}, {q.topic}", right)
        tally.add(f"{prefix}: shown not denied", got.get("shown") is True)
        overlap = [any(e["start"] < b and a < e["end"] for a, b in q.evidence) for e in got.get("evidence") or []
                   if isinstance(e, dict) and {"start", "end"} <= set(e)]
        tally.add(f"{prefix}: cites the right time", bool(overlap) and all(overlap))
    else:
        tally.add(f"{prefix}: not shown recognised", got.get("shown") is False)


def documents_for(clip, encoder, tasks, asked, captions=None):
    rng, document = random.Random(clip.seed), Document(encoder)
    times = frame_times(clip.duration)
    document.video(look(clip, times), times, False)
    if captions is None:
        facts = known_facts(clip, 0.0, rng, None, 1.0, 0.0)
        document.ask(tasks.fill("captions", facts=facts), "", tag="captions")
    facts = known_facts(clip, 0.0, rng, captions, 1.0, 0.0)
    prompt = tasks.fill("question", facts=facts, question="?")
    opening = prompt[:prompt.index("Question: ?")]
    shared = document.share_opening(opening)
    for i, q in enumerate(asked):
        whole = tasks.fill("question", facts=facts, question=q.text)
        document.ask(whole[len(opening):], "", shared, tag=str(i))
    return document


def evaluate(model, tokenizer, clips, questions, show=0, tokens=32768, pairs=144):
    encoder, tasks, tally, begin = Encoder(tokenizer), Tasks(tokenizer), Tally(), time.time()
    chosen = [write_clip(seed) for seed in range(clips)]
    chosen = [c for c in chosen if c.duration <= 20]
    asked = []
    for clip in chosen:
        rng, facts = random.Random(clip.seed), Facts(clip)
        asked.append([question(facts, rng) for _ in range(questions)])
    documents = [documents_for(c, encoder, tasks, a) for c, a in zip(chosen, asked)]
    first = replies(model, encoder, documents, tokens, pairs)
    print(f"looked at {len(chosen)} clips in {time.time() - begin:.0f} s", flush=True)
    own, reading = [], []
    for clip, reply in zip(chosen, first):
        rows = [{"start": a, "end": b, "text": t} for a, b, t in caption_rows(reply["captions"])]
        own.append(rows)
        document = Document(encoder)
        lines = "\n".join(f"{r['start']}-{r['end']} {r['text']}" for r in rows) or "none"
        document.ask(tasks.fill("story", captions=lines), "", tag="story")
        reading.append(document)
    stories = replies(model, encoder, reading, tokens, pairs)
    documents = [documents_for(c, encoder, tasks, a, o) for c, a, o in zip(chosen, asked, own)]
    second = replies(model, encoder, documents, tokens, pairs)
    for n, (clip, looked, told, again, qs) in enumerate(zip(chosen, first, stories, second, asked)):
        score_captions(tally, clip, looked["captions"])
        score_story(tally, clip, told["story"])
        for i, q in enumerate(qs):
            score_question(tally, q, looked[str(i)], "questions, frames alone")
            score_question(tally, q, again[str(i)], "questions")
        if n < show:
            print(f"\nclip {clip.seed}\n want {json.dumps(language.captions(clip))}\n got  {looked['captions']}\n"
                  f" story {told['story']}")
            for i, q in enumerate(qs):
                print(f" Q {q.text}\n   want {json.dumps(q.reply())}\n   got  {looked[str(i)]}\n   with captions {again[str(i)]}")
    return {"clips": len(chosen), "questions": len(chosen) * questions} | tally.table()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=32768)
    parser.add_argument("--pairs", type=int, default=144)
    parser.add_argument("--small", action="store_true")
    args = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = Tokenizer.from_file(str(args.model / "tokenizer.json"))
    model = build(configuration(tokenizer, args.small))
    load(model, args.model)
    scores = evaluate(model.to(device), tokenizer, args.clips, args.questions, args.show, args.tokens, args.pairs)
    print(json.dumps(scores, indent=1), flush=True)
    (args.model / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Scores the demonstration Qwen3-VL on held-out clips with the prompts of the deep stage.

usage: python -m world.evaluate_vlm MODEL_DIR [--clips 500] [--questions 4]     (from tools/)
Writes MODEL_DIR/scores.json and, with --show N, prints N clips with truth and replies.
"""
import argparse
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
from .scores import Tally, score_answer, score_captions, score_story
from .script import write_clip
from .tasks import Tasks, frame_times, known_facts, look
from .train_vlm import load
from .vlm import build, configuration

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


def score_looked(tally, clip, text):
    rows, value = caption_rows(text), parse(text)
    tally.add("captions: valid JSON", value is not None and bool(rows))
    score_captions(tally, clip, rows)


def score_told(tally, clip, text):
    got = parse(text)
    tally.add("story: valid JSON", isinstance(got, dict) and "applicable" in got)
    score_story(tally, clip, got if isinstance(got, dict) else {})


def score_question(tally, q, text, prefix):
    got = parse(text)
    got = got if isinstance(got, dict) else {}
    tally.add(f"{prefix}: valid JSON", {"evidence", "shown", "answer"} <= set(got))
    score_answer(tally, q, got, prefix)


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
        score_looked(tally, clip, looked["captions"])
        score_told(tally, clip, told["story"])
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

"""Scores the program itself on held-out clips: rendered, decoded, analysed and asked by `prismvid`, as a user would.

usage: python -m world.evaluate_program PROGRAM MODEL [MODEL ...] --work DIR [--seeds 0-49] [--questions 4]
       (from tools/; needs numpy, opencv-python-headless, pillow, jsonschema and ffmpeg)
Clips are rendered at 640x360 and 25 frames a second into DIR. They are taken in portions: every model watches one in one run of
`analyze`, and answers in one run of `eval --analysed`; the fast stages run once for all models. A finished portion is kept in
DIR/portions and not run again, so a long run can be interrupted, and several can share DIR; remove them after a change.
--requests keeps what the models were given and replied (compare_transformers.py). DIR/scores-MODEL.json holds scores and
counts; every document is held against the schema. With --features the stages that give the model its facts can be chosen.
"""
import argparse
import json
import pathlib
import random
import resource
import subprocess

import jsonschema

from .make_clips import render
from .questions import Facts, question
from .scores import Tally, score_answer, score_captions, score_story
from .script import write_clip

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "schema" / "analysis.schema.json"
LONGEST = 20.0  # seconds that the model sees at once; longer clips are counted apart


def clip_file(work, seed):
    return work / f"clip_{seed:06d}.mp4"


def render_all(work, clips):
    for clip in clips:
        file = clip_file(work, clip.seed)
        if not file.exists():
            part = file.with_suffix(".part.mp4")
            render(clip, part, 640, 360, 25)
            part.rename(file)


def portion_name(clips):
    return f"{clips[0].seed:06d}-{clips[-1].seed:06d}"


def library(work, clips):
    return work / f"library-{portion_name(clips)}.db"


def run(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in (0, 6):
        raise SystemExit(f"{' '.join(map(str, arguments[:1]))} failed: {done.stderr[-2000:]}")
    return done.stdout


def analyse(program, model, work, clips, features):
    """The documents of all clips, in order."""
    files = [clip_file(work, c.seed) for c in clips]
    lines = run(program, "analyze", *files, "--features", features, "--detector", "demo-world-detector", "--model", model,
                "--format", "json", "--db", library(work, clips)).splitlines()
    return [json.loads(line) for line in lines]


def questions_of(clip, count):
    rng, facts = random.Random(clip.seed), Facts(clip)
    return [question(facts, rng) for _ in range(count)]


def write_set(work, clips, asked):
    rows = []
    for clip, questions in zip(clips, asked):
        for i, q in enumerate(questions):
            rows.append({"id": f"{clip.seed}/{i}", "video": clip_file(work, clip.seed).name, "kind": q.topic,
                         "question": q.text} | q.reply())
    file = work / f"questions-{portion_name(clips)}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def answer(program, model, work, clips, asked, requests):
    """{id: item} of the program's own report."""
    name, part = pathlib.Path(model).name, portion_name(clips)
    report = work / f"answers-{name}-{part}.json"
    kept, db = [], library(work, clips)
    if requests:  # a library of its own, so that captions are asked for again and kept too
        kept, db = ["--requests", requests / name / part], requests / f"{name}-{part}.db"
        requests.mkdir(parents=True, exist_ok=True)
    run(program, "eval", write_set(work, clips, asked), "--videos", work, "--model", model, "--analysed", "--detector",
        "demo-world-detector", "--db", db, "-o", report, *kept)
    return {item["id"]: item for item in json.loads(report.read_text())[0]["items"]}


def shown_range(document):
    return document["analysis"]["range"]["start"], document["analysis"]["range"]["end"]


def cites_what_was_shown(document):
    start, end = shown_range(document)
    ranges = [e for key in ("captions", "chapters", "summaries", "highlights") for item in document[key]
              for e in item.get("evidence", [])]
    ranges += [e for arc in (document["story"] or {}).get("arcs", []) for b in arc["beats"] for e in b["evidence"]]
    return all(start <= e["start"] < e["end"] <= end for e in ranges)


def score(tally, clip, document, validator):
    rows = [(c["start"], c["end"], c["text"]) for c in document["captions"] if c["level"] == "window"]
    score_captions(tally, clip, rows)
    tally.add("documents valid against the schema", not list(validator.iter_errors(document)))
    tally.add("documents that cite only what was shown", cites_what_was_shown(document))
    tally.add("documents complete", document["analysis"]["degraded"] is None)
    if document["story"]:
        score_story(tally, clip, document["story"])


def score_item(tally, q, item):
    got = {"answer": item["answer"], "shown": item.get("shown"), "evidence": item.get("evidence", [])}
    score_answer(tally, q, got, "questions")


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def evaluate(args, model, clips, validator):
    """Counts of one model on one portion, and what they cost."""
    tally, begin = Tally(), processor_seconds()
    documents = analyse(args.program, model, args.work, clips, args.features)
    watched = processor_seconds()
    asked = [questions_of(c, args.questions) for c in clips]
    answers = answer(args.program, model, args.work, clips, asked, args.requests) if args.questions else {}
    for clip, document, questions in zip(clips, documents, asked):
        score(tally, clip, document, validator)
        for i, q in enumerate(questions):
            score_item(tally, q, answers[f"{clip.seed}/{i}"])
    return {"clips": len(clips), "questions": len(answers), "media_seconds": sum(c.duration for c in clips),
            "analyze_cpu_seconds": watched - begin, "questions_cpu_seconds": processor_seconds() - watched,
            "counts": tally.counts()}


def evaluate_once(args, model, clips, validator):
    file = args.work / "portions" / f"{pathlib.Path(model).name}-{portion_name(clips)}.json"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        render_all(args.work, clips)
        result = evaluate(args, model, clips, validator)
        part = file.with_suffix(".part")
        part.write_text(json.dumps(result, indent=1) + "\n")
        part.rename(file)
    return json.loads(file.read_text())


def summed(model, features, portions):
    tally = Tally()
    for portion in portions:
        for name, (right, of) in portion["counts"].items():
            tally.add(name, right, of)
    total = {key: round(sum(p[key] for p in portions), 1) for key in portions[0] if key != "counts"}
    return {"model": pathlib.Path(model).name, "features": features} | total | {"scores": tally.table(), "counts": tally.counts()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", default="0-49")
    parser.add_argument("--questions", type=int, default=4)
    parser.add_argument("--portion", type=int, default=10, help="clips that are taken at a time")
    parser.add_argument("--requests", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--features", default="shots,scenes,ocr,objects,caption,story")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    first, last = (int(v) for v in args.seeds.split("-"))
    clips = [c for c in map(write_clip, range(first, last + 1)) if c.duration <= LONGEST]
    portions = [clips[i:i + args.portion] for i in range(0, len(clips), args.portion)]
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    done = {model: [] for model in args.models}
    for portion in portions:
        for model in args.models:
            done[model].append(evaluate_once(args, model, portion, validator))
    for model, results in done.items():
        result = summed(model, args.features, results)
        (args.work / f"scores-{pathlib.Path(model).name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result, indent=1), flush=True)


if __name__ == "__main__":
    main()
